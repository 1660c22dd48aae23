-- Publisher `webdav`: a folder of a WebDAV server (RFC 4918). Folders that are not there are made,
-- and nothing that is there is replaced.
local map = require "core.map"

local http = require "bittern.http"
local private = require "bittern.private_headers"

local made <const> = { [201] = true, [405] = true, [301] = true } -- 405: it is there already

local function refused(ctx, method, url, response)
  local access = response.status == 401 or response.status == 403
  return nil, ("%s %s: status %d: %s"):format(method, url, response.status,
    ctx.report.clean((response.body or ""):sub(1, 200))), access and "access" or "http_status"
end

-- Makes the folders of `path` below `root`, from the outer ones on.
local function make_folders(ctx, root, path, headers)
  local at = root
  for name in path:gmatch("([^/]+)/") do
    at = at .. "/" .. name
    local response, message, code = http.request { method = "MKCOL", url = at .. "/",
      headers = headers }
    if not response then return nil, message, code end
    if not made[response.status] then return refused(ctx, "MKCOL", at .. "/", response) end
  end
  return true
end

-- Whether something is there: true or false.
local function is_there(ctx, url, headers)
  local response, message, code = http.request { method = "HEAD", url = url, headers = headers,
    retry = true }
  if not response then return nil, message, code end
  if response.status == 404 then return false end
  if response.status < 300 then return true end
  return refused(ctx, "HEAD", url, response)
end

local function put(ctx, url, headers, artifact)
  local bytes <close>, why, id = map.open(artifact.path)
  if not bytes then return nil, why, id end
  local all = { table.unpack(headers) }
  -- The server refuses what somebody else put there in between.
  if not ctx.args.overwrite then all[#all + 1] = "If-None-Match: *" end
  all[#all + 1] = "Content-Type: application/zip"
  local response, message, code = http.request { method = "PUT", url = url, headers = all,
    body = bytes, timeout = 0, retry = true, on_progress = ctx.on_progress }
  if not response then return nil, message, code end
  if response.status >= 200 and response.status < 300 then return true end
  return refused(ctx, "PUT", url, response)
end

return {
  api = 1,
  about = "a folder of a WebDAV server",
  args = {
    url = { "", "URL of a folder that is there" },
    name = { "{sha256}.zip", "path below it; {sha256} is filled in, folders are made" },
    public = { "", "public URL of the folder, if it is another one" },
    headers = { "", "file of header lines to send, such as Authorization; mode 600" },
    overwrite = { false, "replace what has that name" },
  },
  publish = function(ctx, artifact)
    local args = ctx.args
    if args.url == "" then return nil, "give --set url=URL", "usage" end
    local headers, message, code = private.read(args.headers)
    if not headers then return nil, message, code end
    local name = args.name:gsub("{sha256}", artifact.sha256)
      :gsub("[^%w%-_.~/]", function(c) return ("%%%02X"):format(c:byte()) end)
    local root = args.url:gsub("/+$", "")
    local public = (args.public ~= "" and args.public or root):gsub("/+$", "") .. "/" .. name
    local there
    there, message, code = is_there(ctx, root .. "/" .. name, headers)
    if there == nil then return nil, message, code end
    -- Named by its hash it is ours, from an earlier run: the proof tells.
    if there and args.name:find("{sha256}", 1, true) and not args.overwrite then return public end
    if there and not args.overwrite then
      return nil, ("%s/%s is there already; --set overwrite=true replaces it"):format(root, name),
        "exists"
    end
    local ok
    ok, message, code = make_folders(ctx, root, name, headers)
    if ok then ok, message, code = put(ctx, root .. "/" .. name, headers, artifact) end
    if not ok then return nil, message, code end
    return public
  end,
}
