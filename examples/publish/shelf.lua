-- A publisher of one's own: a folder that a web server serves, for files named by their hash.
--   bittern publish artifact.zip --to examples/publish/shelf.lua --set folder=/srv/www ...
local process = require "core.process"

---@type bittern.Publisher
return {
  api = 1,
  about = "a folder of files that are named by their hash",
  args = { folder = { "", "where files go" }, url = { "", "URL of that folder" } },
  publish = function(ctx, artifact)
    local args = ctx.args
    if args.folder == "" or args.url == "" then
      return nil, "give --set folder=DIR and --set url=URL", "usage"
    end
    local name = artifact.sha256 .. ".zip"
    local done, message, code = process.run {
      argv = { "cp", "--", artifact.path, args.folder .. "/" .. name },
    }
    if not done then return nil, message, code end
    if done.status ~= 0 then return nil, done.stderr:match("[^\n]*"), "io" end
    return args.url .. "/" .. name
  end,
}
