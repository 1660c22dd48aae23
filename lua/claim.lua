-- Taking a claim exactly once: looked for before it is asked for, recorded before it is sent.
local outcome = require "bittern.outcome"

local M = {}

-- A claim that already carries a submission is used up, whatever the coordinator calls it.
local function is_used(ctx, claim_id)
  local row, message, code = ctx.ledger:submission(ctx.client.base, claim_id)
  if row == nil then return nil, message, code end
  return row and row.state == "sent"
end

--- Our active claim of a task, as the coordinator knows it.
-- @param ctx {client=, ledger=, task=, hotkey=}
-- @param wanted id that is preferred when there are several, or nil
-- @return claim record, false when there is none, or nil, message, code
function M.find(ctx, wanted)
  local list, message, code = ctx.client:claims { task_id = ctx.task.id, status = "active" }
  if not list then return nil, "list active claims: " .. message, code end
  local first = false
  for _, claim in ipairs(list) do
    local ours = claim.miner_hotkey == ctx.hotkey and claim.status == "active"
      and (claim.task_id == nil or claim.task_id == ctx.task.id)
    local used
    if ours then used, message, code = is_used(ctx, claim.id) end
    if ours and used == nil then return nil, message, code end
    if ours and not used then
      if claim.id == wanted then return claim end
      first = first or claim
    end
  end
  return first
end

local function record(ctx, row, state, details)
  ctx.ledger:event(ctx.run and ctx.run.id, "claim",
    ("%s: %s"):format(state, details.claim_id or details.message))
  local ok, message, code = ctx.ledger:claim_outcome(row, state, details)
  if not ok then return nil, message, code end
  return true
end

-- The answer was lost: the coordinator's list knows. Asks once more when it knows nothing.
local function settle(ctx, row, message, ask)
  local found, why, code = outcome.search(ctx, function() return M.find(ctx) end)
  if found then
    local ok
    ok, why, code = record(ctx, row, "active", { claim_id = found.id })
    if not ok then return nil, why, code end
    return found, "found after its answer was lost"
  end
  if found == false and ask then return ask() end
  if code == "interrupted" then return nil, why, code end
  record(ctx, row, "unknown", { message = message })
  return nil, ("claim %s: %s; whether it was taken is not known yet"):format(
    ctx.task.slug, message), "unknown_outcome"
end

local function post(ctx, options, attempts)
  local row, message, code = ctx.ledger:claim_intent {
    run = ctx.run and ctx.run.id, coordinator = ctx.client.base,
    task_id = ctx.task.id, hotkey = ctx.hotkey,
  }
  if not row then return nil, message, code end
  local claim
  claim, message, code = ctx.client:claim(ctx.task, options.description, options.base_submission_id)
  if type(claim) == "table" and claim.id then
    local ok, why, id = record(ctx, row, "active", { claim_id = claim.id })
    if not ok then return nil, why, id end
    return claim, "taken"
  end
  if code == "interrupted" then return nil, message, code end
  message = message or "the answer names no claim"
  local kind = code and outcome.of(code) or "unknown"
  if kind == "unknown" then
    local function again() return post(ctx, options, attempts - 1) end
    return settle(ctx, row, message, attempts > 1 and again)
  end
  record(ctx, row, kind, { message = message })
  return nil, ("claim %s: %s"):format(ctx.task.slug, message), code
end

--- Our claim of a task: the active one there is, else a new one.
-- @param ctx {client=, ledger=, task=, hotkey=, sleep=, run = nil or its row}
-- @param options {description=, base_submission_id= or nil, wanted= id known from before or nil}
-- @return claim record and "taken", "reused" or "found after ...", or nil, message, code
function M.take(ctx, options)
  local claim, message, code = M.find(ctx, options.wanted)
  if claim == nil then return nil, message, code end
  if claim then return claim, "reused" end
  return post(ctx, options, 2)
end

return M
