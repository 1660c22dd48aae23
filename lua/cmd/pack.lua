-- bittern pack DIR --out FILE: the archive that is published, the same bytes on every machine.
return {
  api = 1,
  about = "pack a model directory into a deterministic archive",
  group = "artifact",
  args = function(parser)
    parser:argument("dir", "the model directory")
    parser:option("--out", "archive to write"):argname "FILE"
    parser:flag("--dry-run", "list what would be packed, write nothing")
  end,
  run = function(ctx)
    local pack = require "bittern.artifact.pack"
    local args, report = ctx.args, ctx.report
    if args.dry_run then
      local list, message, code = pack.list(args.dir)
      if not list then return nil, message, code end
      if ctx.json then report.data { files = list } end
      for _, file in ipairs(ctx.json and {} or list) do
        report.out(("%12d  %s"):format(file.size, file.name))
      end
      return true
    end
    if not args.out then return nil, "give --out FILE, or --dry-run", "usage" end
    local progress
    local done, message, code = pack.run {
      dir = args.dir, out = args.out,
      on_progress = function(written, total)
        progress = progress or report.progress { label = "pack", total = total, unit = "B" }
        progress:update(written)
      end,
    }
    if progress then progress:finish() end
    if not done then return nil, message, code end
    if ctx.json then
      report.data(done)
    else
      report.out(("%s  %d  %s"):format(done.sha256, done.size, done.path))
    end
    return true
  end,
}
