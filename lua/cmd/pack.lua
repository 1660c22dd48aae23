-- bittern pack DIR --out FILE: the archive that is published, the same bytes on every machine.

local function list(ctx)
  local found, message, code = require("bittern.artifact.pack").list(ctx.args.dir)
  if not found then return nil, message, code end
  if ctx.json then ctx.report.data { dry_run = true, files = found } end
  for _, file in ipairs(ctx.json and {} or found) do
    ctx.report.out(("%12d  %s"):format(file.size, file.name))
  end
  return true
end

-- What GGUF could not hold as it was, in words.
local function tell_losses(report, done)
  local rounded = done.rounded
  report.say(("%s: %d of %d packed matrices are exact"):format(done.path,
    done.matrices - #rounded, done.matrices))
  for _, one in ipairs(rounded) do
    report.warn(("'%s' is rounded to %s: no block codec holds its bases, rescued rows or groups")
      :format(one.name, one.codec))
  end
  for _, line in ipairs(done.losses) do report.warn(line) end
  report.warn "a GGUF file is for llama.cpp; validators take archives only"
end

local layouts = {
  packed = function(options)
    return require("bittern.artifact.pack").run { dir = options.dir, out = options.out,
      on_progress = options.on_progress }
  end,
  dense = function(options) return require("bittern.artifact.export").dense(options) end,
  gguf = function(options) return require("bittern.artifact.export").gguf(options) end,
}

local function show(ctx, done)
  if done.losses then tell_losses(ctx.report, done) end
  if ctx.json then
    local json = require "bittern.json"
    done.losses, done.rounded = done.losses and json.array(done.losses),
      done.rounded and json.array(done.rounded)
    ctx.report.data(done)
  elseif done.sha256 then
    ctx.report.out(("%s  %d  %s"):format(done.sha256, done.size, done.path))
  else
    ctx.report.out(("%d  %s"):format(done.size, done.path))
  end
end

return {
  api = 1,
  about = "pack a model directory into a deterministic archive",
  group = "artifact",
  args = function(parser)
    parser:argument("dir", "the model directory")
    parser:option("--out", "archive to write"):argname "FILE"
    parser:option("--layout", "as it is, decoded to a plain archive, or GGUF for llama.cpp")
      :choices { "packed", "dense", "gguf" }:default "packed"
    parser:option("--dtype", "of a dense archive"):choices { "bf16", "f16", "f32" }:default "bf16"
    parser:flag("--dry-run", "list what would be packed, write nothing")
  end,
  run = function(ctx)
    local args, report = ctx.args, ctx.report
    if args.dry_run then return list(ctx) end
    if not args.out then return nil, "give --out FILE, or --dry-run", "usage" end
    local progress
    local done, message, code = layouts[args.layout] {
      dir = args.dir, out = args.out, dtype = args.dtype,
      on_progress = function(written, total)
        progress = progress or report.progress { label = "pack", total = total,
          unit = args.layout == "packed" and "B" or "values" }
        progress:update(written)
      end,
    }
    if progress then progress:finish() end
    if not done then return nil, message, code end
    show(ctx, done)
    return true
  end,
}
