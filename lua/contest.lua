-- What the commands share that change something at the coordinator: client, ledger, lock and task
-- of one hotkey.
local sys = require "core.sys"

local check = require "bittern.check"
local decisions = require "bittern.decisions"
local gate = require "bittern.gate"
local ledgers = require "bittern.ledger"
local once = require "bittern.once"
local session = require "bittern.session"
local wallet = require "bittern.wallet"
local work = require "bittern.work"

local M = {}

--- The options of a command that sends POSTs: its hotkey, and how long a lost answer is looked for.
function M.arguments(parser)
  parser:option("--settle", ("seconds that a POST without an answer may still be carried out "
    .. "(default %d, or BITTERN_SETTLE)"):format(once.SETTLE)):argname("S")
    :convert(check.seconds("--settle"))
  wallet.arguments(parser)
end

--- Those seconds.
-- @param ctx a command's context
-- @return number, or nil, message, "config"
function M.settle(ctx)
  if ctx.args.settle then return ctx.args.settle end
  local text = ctx.env "BITTERN_SETTLE"
  if not text then return once.SETTLE end
  local seconds, message = check.seconds("BITTERN_SETTLE")(text)
  if not seconds then return nil, message, "config" end
  return seconds
end

--- What once.send needs, beside the task.
-- @param ctx a command's context
-- @param client with a key
-- @return table, or nil, message, code
function M.context(ctx, client, ledger)
  local settle, message, code = M.settle(ctx)
  if not settle then return nil, message, code end
  return {
    client = client, ledger = ledger, hotkey = client.address, sleep = sys.sleep, settle = settle,
    report = ctx.report,
  }
end

--- What can be judged before there is a submission: a claim is not taken for a task that no
-- submission can be made for.
-- @param ctx a command's context
-- @param open {client=, task=, ledger=}
-- @return true, or nil, message, "stop" or another code
function M.look_first(ctx, open)
  local parts, message, code = session.demands(ctx, open.client, open.task)
  if not parts then return nil, message, code end
  local decided, why, id = decisions.of(ctx, { coordinator = open.client.base, task = open.task,
    text = parts.text, ledger = open.ledger }, parts.rules)
  if not decided then return nil, why, id end
  local judged = gate.early(parts.rules, open.task, { decided = decided })
  if judged.verdict == "PASS" then return true end
  return nil, work.stop(ctx, judged), "stop"
end

--- Opens what a claim or a submission needs and calls `fn` with it; closes it all afterwards.
-- @param ctx a command's context with ctx.args.slug
-- @param fn function({client=, ledger=, hotkey=, task=, ...}) -> results
-- @return what fn returns, or nil, message, code
function M.with(ctx, fn)
  local client, task, code = session.task(ctx, { signed = true })
  if not client then return nil, task, code end
  local ledger <close>, why, kind = ledgers.open()
  if not ledger then return nil, why, kind end
  local lock <close>, holder, locked = ledger:lock {
    slug = task.slug, coordinator = client.base, hotkey = client.address,
  }
  if not lock then return nil, holder, locked end
  local open, wrong, config = M.context(ctx, client, ledger)
  if not open then return nil, wrong, config end
  open.task = task
  local result, text, id = fn(open)
  return result, text, id
end

return M
