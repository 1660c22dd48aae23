-- Claims of a task: taken exactly once, and given back.
local canonical = require "bittern.canonical"
local once = require "bittern.once"
local submit = require "bittern.submit"
local tasks = require "bittern.task"

local M = {}

-- A claim that already carries a submission is used up, whatever the coordinator calls it.
local function is_used(ctx, claim_id)
  local row, message, code = ctx.ledger:submission(ctx.client.base, claim_id)
  if row == nil then return nil, message, code end
  return row and row.state == "done"
end

--- Active claims of ours that carry no submission yet.
-- @param ctx {client=, ledger=, hotkey=}
-- @return array of claim records, or nil, message, code
function M.free(ctx, task_id)
  local list, message, code = ctx.client:claims { task_id = task_id, status = "active" }
  if not list then return nil, "list active claims: " .. message, code end
  local free = {}
  for _, claim in ipairs(list) do
    local ours = claim.miner_hotkey == ctx.hotkey and claim.status == "active"
      and (claim.task_id == nil or claim.task_id == task_id)
    local used, why, id = false, nil, nil
    if ours then used, why, id = is_used(ctx, claim.id) end
    if used == nil then return nil, "ledger: " .. why, id end
    if ours and not used then free[#free + 1] = claim end
  end
  return free
end

-- The claims, with the wanted one first.
local function preferring(claims, wanted)
  for i, claim in ipairs(claims) do
    if claim.id == wanted then
      table.insert(claims, 1, table.remove(claims, i))
      break
    end
  end
  return claims
end

--- Our active claim of a task, as the coordinator knows it.
-- @param ctx {client=, ledger=, task=, hotkey=}
-- @param wanted id that is preferred when there are several, or nil
-- @return claim record, false when there is none, or nil, message, code
function M.find(ctx, wanted)
  local free, message, code = M.free(ctx, ctx.task.id)
  if not free then return nil, message, code end
  return preferring(free, wanted)[1] or false
end

--- Whether a claim carries no submission: what was sent for it is settled first.
-- @param ctx as once.send
-- @return true; or nil, message, "claim_used" when it carries one, another code while that is not
--   known
function M.is_free(ctx, claim_id)
  local row, message, code = ctx.ledger:submission(ctx.client.base, claim_id)
  if row == nil then return nil, message, code end
  local record
  if row then record, message, code = submit.settle(ctx, row) end
  if row and record == nil then return nil, message, code end
  if not record then return true end
  return nil, ("claim %s carries submission %s"):format(claim_id, record.id), "claim_used"
end

-- What a claim whose answer was lost left behind: the newest free one.
local function look(ctx)
  return function(row)
    local free, message, code = M.free(ctx, row.task_id)
    if not free then return nil, message, code end
    return free[#free] or false
  end
end

-- A refusal may only mean that the task was paused or closed a moment ago.
local function explain(ctx, message, code)
  local list = (code == "conflict" or code == "rejected") and ctx.client:tasks()
  local task = list and tasks.find(list, ctx.task.id)
  if not task or tasks.is_live(task) then return nil, message, code end
  return nil, ("task %s is %s now; %s"):format(ctx.task.slug, tostring(task.task_state), message),
    "not_live"
end

local function post(ctx, options)
  local fields = {
    claim_description = options.description, base_submission_id = options.base_submission_id,
  }
  local text, wrong, id = canonical.encode(fields)
  if not text then return nil, "claim: " .. wrong, id end
  local record, how, code = once.send(ctx, {
    kind = "claim", subject = ctx.task.id, task_id = ctx.task.id, body = text, repeats = true,
    look = look(ctx),
    send = function()
      return ctx.client:claim(ctx.task, options.description, options.base_submission_id)
    end,
  })
  if not record then return explain(ctx, how, code) end
  return record, how == "sent" and "taken" or how
end

-- A claim that can carry a new submission: of the active ones the first that has none out.
local function find_free(ctx, wanted)
  local free, message, code = M.free(ctx, ctx.task.id)
  if not free then return nil, message, code end
  for _, claim in ipairs(preferring(free, wanted)) do
    local open, why, id = M.is_free(ctx, claim.id)
    if open then return claim end
    if id ~= "claim_used" then return nil, ("claim %s: %s"):format(claim.id, why), id end
  end
  return false
end

--- Our claim of a task: the active one there is, else a new one. One whose submission has no answer
-- yet is looked at first, and not used again when it arrived.
-- @param ctx as once.send, with task=
-- @param options {description=, base_submission_id= or nil, wanted= id known from before or nil}
-- @return claim record and "taken", "reused" or "found after ...", or nil, message, code
function M.take(ctx, options)
  local claim, message, code = find_free(ctx, options.wanted)
  if claim == nil then return nil, message, code end
  if not claim then return post(ctx, options) end
  claim, message, code = M.noted(ctx, claim)
  return claim, claim and "reused" or message, code
end

--- A claim that the coordinator shows, written down when an earlier POST left its outcome open.
-- @param claim its record
-- @param kind of that POST: "claim", which nil means, or "cancel"
-- @return the claim, or nil, message, code
function M.noted(ctx, claim, kind)
  local row, message, code = ctx.ledger:last_post {
    coordinator = ctx.client.base, hotkey = ctx.hotkey, kind = kind or "claim",
    subject = kind == "cancel" and claim.id or ctx.task.id,
  }
  if row == nil then return nil, message, code end
  if not row or row.state ~= "unknown" then return claim end
  local ok
  ok, message, code = ctx.ledger:outcome(row.id, "done",
    { record_id = claim.id, status = claim.status })
  if not ok then return nil, message, code end
  return claim
end

-- A claim of ours that the row may have made and that is no longer free: its words are the same,
-- and the ledger knows no other POST that made it.
local function look_used(ctx, row)
  local list, message, code = ctx.client:claims { task_id = row.task_id }
  if not list then return nil, "list claims: " .. message, code end
  local words = row.body ~= "" and canonical.decode(row.body).claim_description
  for i = #list, 1, -1 do
    local claim = list[i]
    local same = claim.miner_hotkey == ctx.hotkey and claim.claim_description == words
    if same and not ctx.ledger:made_by(ctx.client.base, claim.id) then return claim end
  end
  return false
end

--- What became of a claim that was asked for, used up or cancelled since or not; as once.settle.
function M.settle(ctx, row)
  return once.settle(ctx, row, function()
    local claim, message, code = look(ctx)(row)
    if claim ~= false then return claim, message, code end
    return look_used(ctx, row)
  end)
end

-- Whether a claim is gone: its record, false while it is active.
local function look_cancelled(ctx)
  return function(row)
    local list, message, code = ctx.client:claims { task_id = row.task_id }
    if not list then return nil, "list claims: " .. message, code end
    for _, claim in ipairs(list) do
      if claim.id == row.subject then return claim.status ~= "active" and claim end
    end
    return { id = row.subject, status = "not listed" }
  end
end

--- What became of a cancellation; as once.settle.
function M.settle_cancel(ctx, row)
  return once.settle(ctx, row, look_cancelled(ctx))
end

--- Gives a claim back.
-- @param ctx as once.send
-- @param claim_id of a claim of ours
-- @param task_id of its task, or nil
-- @return claim record and how it is known, or nil, message, code
function M.cancel(ctx, claim_id, task_id)
  local free, message, code = M.is_free(ctx, claim_id)
  if not free then return nil, message, code end
  return once.send(ctx, {
    kind = "cancel", subject = claim_id, task_id = task_id, look = look_cancelled(ctx),
    send = function()
      local record, why, id = ctx.client:cancel(claim_id)
      if not record then return nil, why, id end
      record.id = record.id or claim_id
      return record
    end,
  })
end

--- Gives the claim of an abandoned run back. That this fails ends nothing: it is told.
-- @param ctx as once.send
-- @param claim_id or nil
-- @return claim record, or nil
function M.abandon(ctx, claim_id, task_id)
  if not claim_id then return nil end
  local record, message, code = M.cancel(ctx, claim_id, task_id)
  if not ctx.report then return record end
  if record then
    ctx.report.say(("claim %s given back: %s"):format(claim_id, tostring(record.status)))
  elseif code ~= "claim_used" then
    ctx.report.warn(("claim %s could not be given back: %s"):format(claim_id, message))
  end
  return record
end

return M
