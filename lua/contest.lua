-- What the commands share that claim and submit: client, ledger, lock and task of one hotkey.
local sys = require "core.sys"

local ledgers = require "bittern.ledger"
local session = require "bittern.session"

local M = {}

--- Opens what a claim or a submission needs and calls `fn` with it; closes it all afterwards.
-- @param ctx a command's context with ctx.args.slug
-- @param fn function({client=, ledger=, hotkey=, task=, sleep=}) -> results
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
  local result, text, id = fn {
    client = client, ledger = ledger, hotkey = client.address, task = task, sleep = sys.sleep,
  }
  return result, text, id
end

return M
