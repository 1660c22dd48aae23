-- bittern hash FILE...: SHA-256 and size, as a submission names them.
return {
  api = 1,
  about = "SHA-256 and size of files",
  group = "artifact",
  args = function(parser)
    parser:argument("files", "files to hash"):args "+"
  end,
  run = function(ctx)
    local sha256 = require "core.sha256"
    local list, message, code = sha256.files(ctx.args.files)
    if not list then return nil, message, code end
    for i, file in ipairs(list) do
      file.path = ctx.args.files[i]
      if not ctx.json then
        ctx.report.out(("%s  %d  %s"):format(file.sha256, file.size, file.path))
      end
    end
    if ctx.json then ctx.report.data { files = list } end
    return true
  end,
}
