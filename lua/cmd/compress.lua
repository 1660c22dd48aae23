-- bittern compress MODEL --recipe R --out DIR|FILE: a packed model within the budget.

local WIDTH <const> = 80

local function codec_text(t)
  local parts = { t.bases and t.codec .. "x" .. t.bases or t.codec }
  if (t.group or 0) > 0 then parts[#parts + 1] = "g" .. t.group end
  if t.offsets then parts[#parts + 1] = "+off" end
  if t.columns then parts[#parts + 1] = "+col" end
  return table.concat(parts, " ")
end

local function share_text(part, whole)
  if not part or not whole or whole == 0 then return "" end
  return ("%.2f %%"):format(100 * part / whole)
end

local function row_of(name, t)
  local bits = t.bytes and t.parameters > 0 and ("%.3f"):format(8 * t.bytes / t.parameters) or ""
  local rescued = (t.rescued or 0) > 0 and ("%d"):format(t.rescued) or ""
  return { name, table.concat(t.shape, "x"), codec_text(t), rescued, bits,
    share_text(t.error_after, t.norm) }
end

local TITLES <const> = { "TENSOR", "SHAPE", "CODEC", "RESCUED", "BITS", "ERROR" }

local function show(report, result)
  local text = require "bittern.inspect.text"
  local rows, columns, heading = {}, {}, nil
  for _, t in ipairs(result.plan) do
    local name = report.clean(t.name)
    local layer, rest = name:match("^(.*%.%d+)%.(.+)$")
    if layer and layer ~= heading then rows[#rows + 1] = { layer } end
    heading = layer
    rows[#rows + 1] = row_of(layer and "  " .. rest or name, t)
  end
  text.fit(rows, TITLES, WIDTH)
  for i, title in ipairs(TITLES) do columns[i] = { title, right = i > 3 } end
  for _, line in ipairs(report.table(columns, rows)) do report.out(line) end
end

local function conclude(report, result)
  local bits = result.bytes * 8 / result.parameters
  local line = ("%s bytes, %.4f bits a parameter"):format(report.thousands(result.bytes), bits)
  if result.budget then
    line = line .. (", %.2f %% of the budget of %s bytes"):format(
      100 * result.bytes / result.budget, report.thousands(result.budget))
  end
  report.say(line)
  if result.error then
    report.say(("relative squared error of the matrices: %.4f %%"):format(100 * result.error))
  end
  if result.sha256 then report.say(("sha256 %s"):format(result.sha256)) end
end

-- What was made belongs into the ledger; that it cannot be noted does not undo it.
local function record(report, args, result, started)
  local ledger <close>, message = require("bittern.ledger").open()
  local id
  if ledger then id, message = ledger:add_compression(args.model, result, started) end
  if not id then report.warn("not in the ledger: " .. message) end
end

return {
  api = 1,
  about = "compress a model by a recipe into an artifact folder or archive",
  group = "model",
  args = function(parser)
    parser:argument("model", "a Hugging Face model directory")
    parser:option("--recipe", "name or path of a recipe"):argname "RECIPE":default "rowcol"
    parser:option("--out", "directory, FILE.zip or, of GGUF recipes, FILE.gguf to write")
      :argname "PATH"
    parser:option("--budget", "binary, ternary or bits a parameter"):argname "BITS"
    parser:option("--importance", "weigh errors by an imatrix (GGUF, or vectors in safetensors)")
      :argname "F"
    parser:option("--threads", "threads to work on; default all cores"):argname "N"
      :convert(require("bittern.check").whole("--threads", 1, 256))
    parser:option("--set", "an argument of the recipe"):argname "NAME=VALUE":count "*"
    parser:flag("--dry-run", "print the plan, write nothing")
  end,
  run = function(ctx)
    local args, report = ctx.args, ctx.report
    if not args.out and not args.dry_run then
      return nil, "give --out PATH, or --dry-run", "usage"
    end
    local set, message, code = require("bittern.script").settings(args.set)
    if not set then return nil, message, code end
    local started, progress = require("core.sys").time(), nil
    local result, why, id = require("bittern.compress.engine").run {
      model = args.model, recipe = args.recipe, out = args.out, budget = args.budget, set = set,
      dry_run = args.dry_run or false, importance = args.importance, threads = args.threads,
      on_note = report.say,
      on_progress = function(done, total)
        progress = progress or report.progress { label = "compress", total = total, unit = "B" }
        progress:update(done)
      end,
    }
    if progress then progress:finish() end
    if not result then return nil, why, id end
    if result.size then record(report, args, result, started) end
    if ctx.json then
      result.dry_run = args.dry_run
      report.data(result)
    else
      if args.dry_run then show(report, result) end
      conclude(report, result)
    end
    return true
  end,
}
