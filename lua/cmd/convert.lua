-- bittern convert IN OUT: a model in another format, or its matrices in another codec.
local text = require "bittern.inspect.text"

local WIDTH <const> = 80
local TITLES <const> = { "TENSOR", "SHAPE", "FROM", "TO" }

local function show_plan(report, result)
  local rows, columns = {}, {}
  for i, t in ipairs(result.tensors) do
    rows[i] = { report.clean(t.name), text.shape(t.shape), t.stored, t.codec }
  end
  text.fit(rows, TITLES, WIDTH)
  for i, title in ipairs(TITLES) do columns[i] = { title, right = i == 2 } end
  for _, line in ipairs(report.table(columns, rows)) do report.out(line) end
end

local function conclude(report, result, to)
  report.say(("%s: %d tensors, %s bytes, %.4f bits a parameter"):format(result.out,
    #result.tensors, report.thousands(result.bytes),
    result.bytes * 8 / math.max(1, result.parameters)))
  if result.kept > 0 then
    report.say(("%d matrices did not become %s: named by --keep, or rows of no whole blocks")
      :format(result.kept, to))
  end
  for _, line in ipairs(result.losses) do report.warn(line) end
end

local function plain(result)
  local json = require "bittern.json"
  for _, t in ipairs(result.tensors) do
    t.shape = json.array(table.move(t.shape, 1, #t.shape, 1, {}))
  end
  result.tensors, result.losses = json.array(result.tensors), json.array(result.losses)
  return result
end

return {
  api = 1,
  about = "write a model in another format: safetensors or GGUF",
  group = "model",
  args = function(parser)
    parser:argument("input", "a model directory, an archive, a GGUF or safetensors file")
    parser:argument("out", "a .gguf, .safetensors or .zip file, or else a directory")
    parser:option("--to", "codec of the matrices; without it no number changes"):argname "CODEC"
    parser:option("--keep", "part of the names of tensors that keep their type"):argname "TEXT"
      :count "*"
    parser:option("--fit", "how scales of block codecs are chosen")
      :choices { "reference", "least_squares" }:default "reference"
    parser:flag("--dry-run", "print the plan, write nothing")
  end,
  run = function(ctx)
    local args, report = ctx.args, ctx.report
    local progress
    local result, message, code = require("bittern.convert").run {
      input = args.input, out = args.out, to = args.to, keep = args.keep or {}, fit = args.fit,
      dry_run = args.dry_run or false,
      on_progress = function(done, total)
        progress = progress or report.progress { label = "convert", total = total,
          unit = "values" }
        progress:update(done)
      end,
    }
    if progress then progress:finish() end
    if not result then return nil, message, code end
    if ctx.json then
      result.dry_run = args.dry_run
      report.data(plain(result))
    else
      if args.dry_run then show_plan(report, result) end
      conclude(report, result, args.to)
    end
    return true
  end,
}
