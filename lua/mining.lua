-- A workflow that works on a task: found, locked, begun or continued, shown. What the commands that
-- drive one share.
local fs = require "core.fs"
local sys = require "core.sys"

local auth = require "bittern.auth"
local contest = require "bittern.contest"
local ledgers = require "bittern.ledger"
local paths = require "bittern.paths"
local preview = require "bittern.preview"
local runs = require "bittern.runs"
local script = require "bittern.script"
local session = require "bittern.session"
local tasks_of = require "bittern.task"
local workflow = require "bittern.workflow"

local M = {}

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
    settle = open.settle, lock = open.lock,
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

-- The lock of a task's run, which may be lent for a while.
local function lock_of(ledger, key)
  local lock, message, code = ledger:lock(key)
  if not lock then return nil, message, code end
  local holder = { lock = lock }
  -- Calls fn without the lock, so that another bittern may work on the task meanwhile.
  function holder.without(fn)
    holder.lock:close()
    local result, why, id = fn()
    local again, trouble, kind = ledger:lock(key)
    if not again then return nil, trouble, kind end
    holder.lock = again
    return result, why, id
  end
  return setmetatable(holder, { __close = function() holder.lock:close() end })
end

local function open_run(ctx, flow, path, settings)
  local client, message, code = session.client(ctx, { signed = true })
  if not client then return nil, message, code end
  local ledger <close>, why, kind = ledgers.open()
  if not ledger then return nil, why, kind end
  local key = {
    workflow = path:match("([^/]+)%.lua$"), slug = slug_of(client, ctx.args.slug),
    coordinator = client.base, hotkey = client.address,
  }
  local lock <close>, holder, locked = lock_of(ledger, key)
  if not lock then return nil, holder, locked end
  local open, wrong, config = contest.context(ctx, client, ledger)
  if not open then return nil, wrong, config end
  open.key, open.flow, open.lock = key, flow, lock
  local done, text, id = go(ctx, open, settings)
  return done, text, id
end

--- Runs a workflow for the task that ctx.args.slug names, or continues it.
-- @param ctx a command's context; ctx.args has slug, restart, dry_run, work, and what
--   contest.arguments and the workflow's steps want
-- @param name of the workflow
-- @param prepare function(args, flow) -> settings (see workflow.begin), or nil, message, code
-- @return true, or nil, message, code
function M.run(ctx, name, prepare)
  if ctx.args.restart and ctx.args.dry_run then
    return nil, "--restart gives a claim back; it does not go with --dry-run", "usage"
  end
  local flow, path, code = script.find("workflow", name)
  if not flow then return nil, path, code end
  local sound, message, id = workflow.check(flow, path)
  if not sound then return nil, message, id end
  local settings
  settings, message, id = prepare(ctx.args, flow)
  if not settings then return nil, message, id end
  return open_run(ctx, flow, path, settings)
end

return M
