-- Publisher NAME: puts an artifact where validators can fetch it by one GET without a redirect.
--   bittern publish FILE.zip --to NAME --set folder=/srv/www --set url=https://files.example.org
-- Bittern fetches the URL afterwards and goes on only if it gives the same bytes.
local process = require "core.process"

---@type bittern.Publisher
return {
  api = 1,
  about = "say in a line where it puts things",
  -- { default, "what it is" }; also read from BITTERN_<NAME>_<ARGUMENT>.
  args = {
    folder = { "", "folder that a web server serves" },
    url = { "", "URL of that folder" },
  },
  -- artifact has path, size and sha256. Gives the URL, or nil, message, error id.
  publish = function(ctx, artifact)
    local args = ctx.args
    if args.folder == "" or args.url == "" then
      return nil, "give --set folder=DIR and --set url=URL", "usage"
    end
    -- Bring artifact.path there: any program will do, or bittern.http.
    local name = artifact.sha256 .. ".zip"
    local done, message, code = process.run {
      argv = { "cp", "--", artifact.path, args.folder .. "/" .. name },
    }
    if not done then return nil, message, code end
    if done.status ~= 0 then return nil, done.stderr:match("[^\n]*"), "io" end
    return args.url .. "/" .. name
  end,
}
