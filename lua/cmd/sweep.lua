-- bittern sweep MODEL --text F: several recipes and settings side by side; again to continue.
local function arguments(parser)
  local check = require "bittern.check"
  parser:argument("model", "a Hugging Face model directory")
  parser:option("--text", "held-out text to score on"):argname("FILE"):count(1)
  parser:option("--try", "a recipe with settings; may be repeated (default: every recipe)")
    :argname("RECIPE[:KEY=VALUE...]"):count "*"
  parser:option("--budget", "binary, ternary or bits a parameter"):argname "BITS"
    :default "binary"
  parser:option("--importance", "weigh errors by an imatrix (GGUF, or vectors in safetensors)")
    :argname "F"
  parser:option("--max-tokens", "most tokens of a document"):argname "N"
    :convert(check.whole("--max-tokens", 2, 1 << 20)):default "512"
  parser:option("--work", "folder for what is made (default: in the state folder)"):argname "DIR"
  parser:option("--workflow", "the steps to run"):argname("WORKFLOW"):default "sweep"
  parser:flag("--restart", "measure everything anew")
end

-- What results depend on, beside the recipes.
local function settings_of(args)
  local sha256 = require "core.sha256"
  local mark, message, code = require("bittern.work").fingerprint(args.model)
  if not mark then return nil, message, code end
  local settings = { model = mark }
  settings.text, message, code = sha256.file(args.text)
  if not settings.text then return nil, message, code end
  if args.importance then
    settings.importance, message, code = sha256.file(args.importance)
    if not settings.importance then return nil, message, code end
  end
  return settings
end

-- The best first; what was not possible last, in the order of trying.
local function sorted(points)
  local order = {}
  for i, point in ipairs(points) do order[i] = { at = i, nats = point.nats or math.huge } end
  table.sort(order, function(a, b)
    if a.nats ~= b.nats then return a.nats < b.nats end
    return a.at < b.at
  end)
  for i, one in ipairs(order) do order[i] = points[one.at] end
  return order
end

local function show(report, points)
  local rows, failed = {}, {}
  for _, p in ipairs(sorted(points)) do
    if p.nats then
      rows[#rows + 1] = { p.frontier and "*" or "", p.label, report.thousands(p.bytes),
        ("%.4f"):format(8 * p.bytes / p.parameters), ("%.4f"):format(p.nats),
        ("%.4f"):format(p.ppl) }
    else
      failed[#failed + 1] = ("%s: %s"):format(p.label, report.clean(p.error))
    end
  end
  local columns = { { "" }, { "RECIPE" } }
  for i, title in ipairs { "BYTES", "BITS", "NATS", "PERPLEXITY" } do
    columns[i + 2] = { title, right = true }
  end
  for _, line in ipairs(report.table(columns, rows)) do report.out(line) end
  for _, line in ipairs(failed) do report.warn(line) end
end

-- A run for this model, which stays open for whatever is tried next.
local function begin(ctx, ledger, settings)
  local fs, workflow = require "core.fs", require "bittern.workflow"
  local path, message, code = fs.realpath(ctx.args.model)
  if not path then return nil, message, code end
  local key = { workflow = ctx.args.workflow, slug = path, coordinator = "", hotkey = "" }
  local run, why, id = workflow.begin(ledger, key, settings, ctx.args.restart)
  if not run then return nil, why, id end
  local folder = ctx.args.work
    or ("%s/work/sweep-%d"):format(require("bittern.paths").state(), run.id)
  local made, reason, kind = fs.mkdir(folder)
  if not made then return nil, reason, kind end
  local lock, fault, cause = fs.lock(folder .. "/.bittern.lock")
  if not lock then return nil, fault, cause end
  return run, folder, lock
end

local function run_sweep(ctx, settings)
  local fs, script, workflow = require "core.fs", require "bittern.script",
    require "bittern.workflow"
  local flow, path, code = script.find("workflow", ctx.args.workflow)
  if not flow then return nil, path, code end
  local sound, wrong, kind = workflow.check(flow, path)
  if not sound then return nil, wrong, kind end
  local text, message, id = fs.read(ctx.args.text, 1 << 30)
  if not text then return nil, message, id end
  local ledger <close>, why, cause = require("bittern.ledger").open()
  if not ledger then return nil, why, cause end
  local run, folder, lock = begin(ctx, ledger, settings)
  if not run then return nil, folder, lock end
  local held <close> = lock -- luacheck: ignore held
  return workflow.run(flow, { args = ctx.args, settings = settings, ledger = ledger, run = run,
    folder = folder, report = ctx.report, text = text })
end

return {
  api = 1,
  about = "several recipes side by side: frontier of size and perplexity",
  group = "model",
  args = arguments,
  run = function(ctx)
    ctx.args.try = ctx.args.try or {}
    local settings, message, code = settings_of(ctx.args)
    if not settings then return nil, message, code end
    local state, why, id = run_sweep(ctx, settings)
    if not state then return nil, why, id end
    local points = state.frontier and state.frontier.points
    if ctx.json then
      ctx.report.data { model = ctx.args.model, budget = ctx.args.budget,
        points = points and require("bittern.json").array(points), steps = state }
    elseif points then
      show(ctx.report, points)
    end
    return true
  end,
}
