-- Sending a submission exactly once: its body is on disk before it leaves, and an answer that was
-- lost is looked up in the coordinator's list before anything is sent again.
local sha256 = require "core.sha256"

local canonical = require "bittern.canonical"
local outcome = require "bittern.outcome"

local M = {}

local ATTEMPTS <const> = 2

-- Fields of a sidecar that a submission sends, beside claim_id, base_ref and patch.
local optional = {
  "proposed_idea", "implemented_submission_id", "artifact_uri", "artifact_sha256",
  "artifact_size_bytes", "execution_log",
}

--- The body of POST /api/v1/submissions (contract.md 1.3.1): empty fields are left out.
-- @param submission a sidecar as bittern.sidecar gives it
-- @param claim_id string
-- @param base_ref 40 hexadecimal digits
-- @return table
function M.body(submission, claim_id, base_ref)
  local body = {
    claim_id = claim_id, base_ref = base_ref, patch = submission.patch or "",
    summary = submission.summary, claimed_metrics = submission.claimed_metrics,
  }
  for _, field in ipairs(optional) do
    if submission[field] ~= "" then body[field] = submission[field] end
  end
  return body
end

local is_commit = "^" .. ("%x"):rep(40) .. "$"

--- The commit that an artifact-only submission names: what the user says, else the task's own.
-- @return 40 hexadecimal digits, or nil, message, "config"
function M.base_ref(task, given)
  local ref = given or task.base_ref
  if type(ref) == "string" and ref:find(is_commit) then return ref end
  if given then
    return nil, ("base ref '%s' is not a commit of 40 hexadecimal digits"):format(given), "config"
  end
  local hint = "name its commit with --base-ref (git ls-remote %s %s)"
  return nil, ("task %s: base_ref '%s' is a branch: " .. hint):format(
    task.slug, tostring(ref), tostring(task.repository), tostring(ref)), "config"
end

-- A submission in the coordinator's list that is this one.
local function is_it(record, row)
  if record.miner_hotkey ~= nil and record.miner_hotkey ~= row.hotkey then return false end
  if record.claim_id ~= nil then return record.claim_id == row.claim_id end
  return row.artifact_sha256 ~= "" and record.artifact_sha256 == row.artifact_sha256
end

local function listed(ctx, row)
  local list, message, code = ctx.client:submissions { task_id = row.task_id }
  if not list then return nil, "list submissions: " .. message, code end
  for _, record in ipairs(list) do
    if record.id and is_it(record, row) then return record end
  end
  return false
end

-- The history of the run; that it cannot be written ends nothing, its rows hold what counts.
local function note(ctx, format, ...)
  ctx.ledger:event(ctx.run and ctx.run.id, "submit", format:format(...))
end

local function adopt(ctx, row, record, how)
  note(ctx, "submission %s: %s", record.id, how)
  local ok, message, code = ctx.ledger:submission_outcome(row.id, "sent",
    { submission_id = record.id, status = record.status })
  if not ok then return nil, message, code end
  return record, how
end

-- What a lost answer left behind: the record, false when there is nothing, nil when nobody knows.
local function look(ctx, row)
  local record, message, code = outcome.search(ctx, function() return listed(ctx, row) end)
  if not record then return record, message, code end
  return adopt(ctx, row, record, "found after its answer was lost")
end

local function unknown(message)
  return nil, message .. "; whether it arrived is not known yet", "unknown_outcome"
end

-- The coordinator said no, or nothing left this machine. A refusal as a duplicate may speak of
-- our own earlier attempt, which then is in the list.
local function give_up(ctx, row, kind, message, code)
  if code == "conflict" then
    local record = listed(ctx, row)
    if record then return adopt(ctx, row, record, "found after a refusal as a duplicate") end
  end
  local ok, why, id = ctx.ledger:submission_outcome(row.id, kind, { message = message })
  if not ok then return nil, why, id end
  return nil, "submit: " .. message, code
end

local function post(ctx, row, body)
  local message, code
  for _ = 1, ATTEMPTS do
    local ok, record, how
    ok, message, code = ctx.ledger:submission_attempt(row.id)
    if not ok then return nil, message, code end
    note(ctx, "POST for claim %s, body sha256 %s", row.claim_id, row.body_sha256)
    record, message, code = ctx.client:submit(body)
    if type(record) == "table" and record.id then return adopt(ctx, row, record, "sent") end
    if code == "interrupted" then return nil, message, code end
    message = message or "the answer names no submission"
    note(ctx, "POST failed: %s", message)
    local kind = code and outcome.of(code) or "unknown"
    if kind ~= "unknown" then return give_up(ctx, row, kind, message, code) end
    local why, id
    record, how, id = look(ctx, row)
    if record then return record, how end
    why = how
    if id == "interrupted" then return nil, why, id end
    if record == nil then return unknown(("submit: %s; %s"):format(message, why)) end
  end
  return unknown("submit: " .. message)
end

-- The row that holds the intent: an older one of the same body, else a new one.
local function intend(ctx, body, text, digest, old)
  if old and old.body_sha256 == digest then return old end
  local id, message, code = ctx.ledger:submission_intent {
    run = ctx.run and ctx.run.id, coordinator = ctx.client.base, task_id = ctx.task.id,
    hotkey = ctx.hotkey, claim_id = body.claim_id, artifact_sha256 = body.artifact_sha256 or "",
    body = text, body_sha256 = digest,
  }
  if not id then return nil, message, code end
  return ctx.ledger:submission(ctx.client.base, body.claim_id)
end

--- What is known of a submission that was begun; asks the coordinator when its answer was lost.
-- @param ctx as M.send
-- @param row of the ledger
-- @return record and how it is known; false when it never arrived; nil, message, code when nobody
--   knows
function M.settle(ctx, row)
  if row.state == "sent" then
    return { id = row.submission_id, claim_id = row.claim_id, status = row.status },
      "sent before"
  end
  if row.state ~= "intent" or row.attempts == 0 then return false end
  local record, how, code = look(ctx, row)
  if record == nil and code ~= "interrupted" then return unknown("submit: " .. how) end
  return record, how, code
end

--- Sends a submission for a claim, unless it was sent before.
-- @param ctx {client=, ledger=, task=, hotkey=, sleep=, run= nil or its row}
-- @param body as M.body
-- @return submission record and how it is known, or nil, message, code
function M.send(ctx, body)
  local text, message, code = canonical.encode(body)
  if not text then return nil, "submission: " .. message, code end
  local old
  old, message, code = ctx.ledger:submission(ctx.client.base, body.claim_id)
  if old == nil then return nil, message, code end
  if old then
    local record, how, id = M.settle(ctx, old)
    if record or record == nil then return record, how, id end
  end
  local row
  row, message, code = intend(ctx, body, text, sha256.hex(text), old)
  if not row then return nil, message, code end
  return post(ctx, row, body)
end

return M
