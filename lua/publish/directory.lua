-- Publisher `directory`: copies the artifact into a folder that a web server of yours serves.
local fs = require "core.fs"
local map = require "core.map"
local sha256 = require "core.sha256"

local STEP <const> = 8 << 20

-- Bytes go out in pieces, so that a large file is no burden.
local function copy(from, to)
  local bytes <close>, message, code = map.open(from)
  if not bytes then return nil, message, code end
  local writer <close>, why, id = fs.create(to)
  if not writer then return nil, why, id end
  for first = 0, bytes:size() - 1, STEP do
    local piece = bytes:slice(first, math.min(STEP, bytes:size() - first))
    local ok, problem, kind = writer:write(piece)
    if not ok then return nil, problem, kind end
  end
  return writer:commit()
end

return {
  api = 1,
  about = "a folder that your own web server serves",
  args = {
    folder = { "", "where the file goes" },
    url = { "", "URL of that folder, such as https://files.example.org/sn94" },
    name = { "", "name of the file there; its SHA-256 and .zip when empty" },
  },
  publish = function(ctx, artifact)
    local args = ctx.args
    if args.folder == "" or args.url == "" then
      return nil, "give --set folder=DIR and --set url=URL", "usage"
    end
    local name = args.name ~= "" and args.name or artifact.sha256 .. ".zip"
    if name:find("[/\\%c]") then return nil, "the name must be that of a file", "usage" end
    local path, url = args.folder:gsub("/+$", "") .. "/" .. name, args.url:gsub("/+$", "")
    url = url .. "/" .. name:gsub("[^%w%-_.~]", function(c) return ("%%%02X"):format(c:byte()) end)
    if sha256.file(path) == artifact.sha256 then return url end
    local ok, message, code = copy(artifact.path, path)
    if not ok then return nil, message, code end
    return url
  end,
}
