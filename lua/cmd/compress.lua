-- bittern compress MODEL --recipe R --out DIR: a packed model directory within the budget.

local function settings(list)
  local set = {}
  for _, text in ipairs(list or {}) do
    local name, value = text:match("^([%w_]+)=(.*)$")
    if not name then
      return nil, ("--set '%s' is not of the form NAME=VALUE"):format(text), "usage"
    end
    set[name] = value
  end
  return set
end

local function shape_text(shape)
  return #shape == 0 and "scalar" or table.concat(shape, "x")
end

-- What became of a row's error by rescuing, in percent.
local function gain_text(t)
  if not t.error_before or t.error_before == 0 then return "" end
  return ("%.1f %%"):format(100 * t.error_after / t.error_before)
end

local function show(report, result)
  local rows = {}
  for i, t in ipairs(result.plan) do
    local rescued = t.rescued and t.rescued > 0 and t.rescued or ""
    rows[i] = { t.name, shape_text(t.shape), t.codec, rescued, gain_text(t) }
  end
  local columns = { { "TENSOR" }, { "SHAPE" }, { "CODEC" }, { "RESCUED", right = true },
    { "ERROR LEFT", right = true } }
  for _, line in ipairs(report.table(columns, rows)) do report.out(line) end
end

local function conclude(report, result)
  local bits = result.bytes * 8 / result.parameters
  local text = ("%s bytes, %.4f bits a parameter"):format(report.thousands(result.bytes), bits)
  if result.budget then
    local used = 100 * result.bytes / result.budget
    text = text .. (", %.2f %% of the budget of %s bytes"):format(used,
      report.thousands(result.budget))
  end
  report.say(text)
end

return {
  api = 1,
  about = "compress a model by a recipe into an artifact's directory",
  group = "model",
  args = function(parser)
    parser:argument("model", "a Hugging Face model directory")
    parser:option("--recipe", "name or path of a recipe"):argname "R":default "rowmix"
    parser:option("--out", "directory to write"):argname "DIR"
    parser:option("--budget", "binary, ternary or bits a parameter"):argname "BITS"
    parser:option("--set", "an argument of the recipe"):argname "NAME=VALUE":count "*"
    parser:flag("--dry-run", "print the plan, write nothing")
  end,
  run = function(ctx)
    local args, report = ctx.args, ctx.report
    if not args.out and not args.dry_run then
      return nil, "give --out DIR, or --dry-run", "usage"
    end
    local set, message, code = settings(args.set)
    if not set then return nil, message, code end
    local progress
    local result, why, id = require("bittern.compress.engine").run {
      model = args.model, recipe = args.recipe, out = args.out, budget = args.budget, set = set,
      dry_run = args.dry_run or false,
      on_progress = function(done, total)
        progress = progress or report.progress { label = "compress", total = total, unit = "B" }
        progress:update(done)
      end,
    }
    if progress then progress:finish() end
    if not result then return nil, why, id end
    if ctx.json then
      report.data(result)
    else
      if args.dry_run then show(report, result) end
      conclude(report, result)
    end
    return true
  end,
}
