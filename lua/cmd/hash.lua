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
    local list = {}
    for i, path in ipairs(ctx.args.files) do
      local hash, size, code = sha256.file(path)
      if not hash then return nil, size, code end
      list[i] = { path = path, sha256 = hash, size = size }
      if not ctx.json then ctx.report.out(("%s  %d  %s"):format(hash, size, path)) end
    end
    if ctx.json then ctx.report.data { files = list } end
    return true
  end,
}
