-- bittern mine SLUG: the whole way to a decided submission. Run it again to continue.
local fs = require "core.fs"
local sys = require "core.sys"

local auth = require "bittern.auth"
local check = require "bittern.check"
local contest = require "bittern.contest"
local ledgers = require "bittern.ledger"
local paths = require "bittern.paths"
local preview = require "bittern.preview"
local runs = require "bittern.runs"
local script = require "bittern.script"
local session = require "bittern.session"
local tasks_of = require "bittern.task"
local work = require "bittern.work"
local workflow = require "bittern.workflow"

local TIMEOUT <const> = 3600

local function arguments(parser)
  parser:argument("slug", "the task's slug or id")
  parser:option("--model", "model directory to compress"):argname("DIR"):count(1)
  parser:option("--recipe", "name or path of the recipe"):argname("R"):default "rowmix"
  parser:option("--set", "an argument of the recipe (or of the workflow)"):argname("KEY=VALUE")
    :count "*"
  parser:option("--text", "held-out text to score on"):argname("FILE"):count(1)
  parser:option("--publish", "publisher of the artifact"):argname("P"):count(1)
  parser:option("--budget", "binary, ternary or bits a parameter (default: what the task allows)")
  parser:option("--work", "folder for what is made (default: in the state folder)"):argname "DIR"
  parser:option("--description", "what the claim says"):argname "TEXT"
  parser:option("--summary", "what the submission says (default: what was measured)")
    :argname "TEXT"
  parser:option("--idea", "centerless tasks: the idea, in words"):argname "TEXT"
  parser:option("--idea-file", "the same, from a file"):argname "FILE"
  parser:option("--implements", "centerless tasks: the submission whose idea it builds on")
    :argname "ID"
  parser:option("--base-ref", "commit of the task's repository, when the task names a branch")
    :argname "COMMIT"
  parser:option("--workflow", "the steps to run"):argname("W"):default "mine"
  parser:option("--timeout", "seconds to wait for the verdict"):argname("S")
    :convert(check.seconds("--timeout")):default(tostring(TIMEOUT))
  parser:flag("--restart", "abandon the unfinished run and begin anew")
  parser:flag("--dry-run", "do the local work, print the requests, send none")
  contest.arguments(parser)
end

-- `--set` words as a table; a later one wins.
local function parse_set(words)
  local set = {}
  for _, word in ipairs(words or {}) do
    local key, value = word:match("^([%w_]+)=(.*)$")
    if not key then return nil, ("--set %s: must be KEY=VALUE"):format(word), "usage" end
    set[key] = value
  end
  return set
end

-- What the workflow declares is the workflow's, the rest is the recipe's.
local function split_set(args, flow)
  local own, recipe = {}, {}
  for key, value in pairs(args.set) do
    local to = flow.args and flow.args[key] and own or recipe
    to[key] = value
  end
  local values, message, code = script.arguments(flow, own)
  if not values then return nil, message, code end
  args.set, args.flow = recipe, values
  return true
end

local function read_idea(args)
  if not args.idea_file then return true end
  local text, message, code = fs.read(args.idea_file, 1 << 16)
  if not text then return nil, message, code end
  args.idea = text:match("^%s*(.-)%s*$")
  return true
end

-- Arguments as the steps see them, checked as far as no network is needed.
local function prepare(args, flow)
  local set, message, code = parse_set(args.set)
  if not set then return nil, message, code end
  args.set = set
  local ok
  ok, message, code = split_set(args, flow)
  if not ok then return nil, message, code end
  ok, message, code = read_idea(args)
  if not ok then return nil, message, code end
  return work.settings(args)
end

local function folder_of(args, key, run)
  local folder = args.work or ("%s/work/%s-%d"):format(paths.state(),
    key.slug:gsub("[^%w_.-]", "-"), run.id)
  local made, message, code = fs.mkdir(folder)
  if not made then return nil, message, code end
  return fs.realpath(folder)
end

local function publisher(ctx, client)
  return {
    base = client.base, report = ctx.report, env = ctx.env,
    sign = function(request)
      request.now = client.now()
      return auth.headers(client.key, request)
    end,
  }
end

-- What the steps see.
local function context(ctx, open, run, settings)
  local sent, message, code = open.ledger:run_post(run.id, "submission")
  if sent == nil then return nil, message, code end
  local folder
  folder, message, code = folder_of(ctx.args, open.key, run)
  if not folder then return nil, message, code end
  return {
    args = ctx.args, settings = settings, client = open.client, hotkey = open.client.address,
    ledger = open.ledger, run = run, folder = folder,
    sent = sent and runs.may_be_out(sent) and sent or nil,
    report = ctx.report, now = ctx.now, sleep = sys.sleep, clock = sys.clock,
    settle = open.settle,
    dry_run = ctx.args.dry_run, requests = {}, publisher = publisher(ctx, open.client),
  }
end

local function result_of(open, run, state, outcome, folder)
  return {
    run = run.id, workflow = open.key.workflow, slug = open.key.slug, outcome = outcome,
    folder = folder, steps = state,
  }
end

local function show(ctx, result)
  if ctx.json then
    ctx.report.data(result)
  else
    ctx.report.out(("%s: %s"):format(result.slug, result.outcome))
  end
  return true
end

-- The same was asked for before and has ended: tells how.
local function show_ended(ctx, open, run)
  local state, message, code = workflow.recorded(open.flow, open.ledger, run)
  if not state then return nil, message, code end
  local id = state.submit and state.submit.id or "none"
  local text = ("run %d of this command ended before: %s, submission %s; --restart begins anew")
    :format(run.id, run.state, id)
  if run.state == "rejected" then return nil, text, "rejected" end
  ctx.report.say(text)
  return show(ctx, result_of(open, run, state, run.state))
end

local function show_requests(ctx, steps, result)
  result.dry_run, result.requests = true, steps.requests
  if ctx.json then return show(ctx, result) end
  for _, request in ipairs(steps.requests) do
    ctx.report.out("")
    for _, line in ipairs(preview.lines(request)) do ctx.report.out(line) end
  end
  return true
end

local function go(ctx, open, settings)
  local clear, reason, kind_of = runs.prepare(open, ctx.args.restart, settings)
  if not clear then return nil, reason, kind_of end
  local run, how, code = workflow.begin(open.ledger, open.key, settings, ctx.args.restart)
  if not run then return nil, how, code end
  if how == "ended" then return show_ended(ctx, open, run) end
  if how == "continued" then ctx.report.say(("continuing run %d"):format(run.id)) end
  local steps, message, id = context(ctx, open, run, settings)
  if not steps then return nil, message, id end
  local state, why, kind = workflow.run(open.flow, steps)
  if steps.decided or state and not steps.dry_run then
    local ended, trouble, other = open.ledger:end_run(run.id, steps.decided or "done")
    if not ended then return nil, trouble, other end
  end
  if not state then return nil, why, kind end
  local outcome = steps.dry_run and "dry run" or steps.decided or "done"
  local result = result_of(open, run, state, outcome, steps.folder)
  if steps.dry_run then return show_requests(ctx, steps, result) end
  return show(ctx, result)
end

-- A task has two names; its runs and its lock go by the slug, whichever was typed.
local function slug_of(client, word)
  local tasks = word:find("^[%x-]+$") and client:tasks()
  local task = tasks and tasks_of.find(tasks, word)
  return (task and task.slug or word):lower()
end

local function run_command(ctx)
  if ctx.args.restart and ctx.args.dry_run then
    return nil, "--restart gives a claim back; it does not go with --dry-run", "usage"
  end
  local flow, path, code = script.find("workflow", ctx.args.workflow)
  if not flow then return nil, path, code end
  local sound, message, id = workflow.check(flow, path)
  if not sound then return nil, message, id end
  local settings
  settings, message, id = prepare(ctx.args, flow)
  if not settings then return nil, message, id end
  local client
  client, message, id = session.client(ctx, { signed = true })
  if not client then return nil, message, id end
  local ledger <close>, why, kind = ledgers.open()
  if not ledger then return nil, why, kind end
  local key = {
    workflow = path:match("([^/]+)%.lua$"), slug = slug_of(client, ctx.args.slug),
    coordinator = client.base, hotkey = client.address,
  }
  local lock <close>, holder, locked = ledger:lock(key)
  if not lock then return nil, holder, locked end
  local open, wrong, config = contest.context(ctx, client, ledger)
  if not open then return nil, wrong, config end
  open.key, open.flow = key, flow
  return go(ctx, open, settings)
end

return {
  api = 1,
  about = "from a live task to a decided submission; run it again to continue",
  group = "compete",
  args = arguments,
  run = run_command,
}
