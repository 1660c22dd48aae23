-- A POST that is carried out once: its intent is on disk before it leaves, and a lost answer is
-- looked up in the coordinator's own lists before anything is sent again. There is no idempotency
-- key, so what was sent counts as lost only when the coordinator has shown nothing of it for
-- `settle` seconds: until then a slow server may still carry it out.
local canonical = require "bittern.canonical"
local outcome = require "bittern.outcome"

local M = {}

--- Seconds after which a POST that left no trace counts as never arrived.
M.SETTLE = 30

local ATTEMPTS <const> = 2
local FIRST <const>, LONGEST <const> = 0.25, 8

-- Nobody will answer differently if asked again now.
local lasting = {
  interrupted = true, unauthorized = true, forbidden = true, offline = true, config = true,
  key = true,
}

-- Seconds that a POST may still need to show itself.
local function left_of(ctx, row)
  local settle = ctx.settle or M.SETTLE
  local last = math.max(row.sent or row.started, row.ended or 0)
  return math.max(0, math.min(settle, last + settle - ctx.ledger.now()))
end

-- Looks again and again: the record; false when it will not show any more; nil, message, code when
-- the coordinator could not be asked.
local function search(ctx, row, look)
  local left, pause = left_of(ctx, row), FIRST
  if left > 1 and ctx.report then
    ctx.report.say(("%s: its answer was lost; looking for it, up to %.0f s"):format(row.kind, left))
  end
  while true do
    local wait = math.min(pause, left)
    local slept, why, id = ctx.sleep(wait)
    if not slept then return nil, why, id end
    local found, message, code = look(row)
    left = left - wait
    if found or lasting[code] or left <= 0 then return found, message, code end
    pause = math.min(2 * pause, LONGEST)
  end
end

-- The run's history; that it cannot be written ends nothing, the POST's row holds what counts.
local function note(ctx, row, format, ...)
  ctx.ledger:event(row.run, row.kind, format:format(...))
end

local function adopt(ctx, row, record, how)
  note(ctx, row, "%s %s: %s", row.kind, record.id, how)
  local ok, message, code = ctx.ledger:outcome(row.id, "done",
    { record_id = tostring(record.id), status = record.status })
  if not ok then return nil, message, code end
  return record, how
end

local function unknown(row, message)
  return nil, ("%s: %s; whether it arrived is not known yet"):format(row.kind, message),
    "unknown_outcome"
end

-- What is there already was made with other contents, so it is not what is asked for now.
local function other(row, record)
  return nil, ("%s about %s: %s was sent before, with other contents"):format(row.kind, row.subject,
    tostring(record.id)), "claim_used"
end

local function is_same(post, contents)
  return not post.same or post.same(contents)
end

-- The coordinator said no, or nothing left this machine. A refusal as a duplicate, and one that
-- follows a try without an answer, of now or of an earlier time, may speak of what was carried out.
local function refused(ctx, post, row, kind, message, code)
  local may_be_there = code == "conflict" or row.attempts > 1 or ctx.ledger:given_up_before(row)
  local record = kind == "refused" and may_be_there and post.look(row)
  if record and is_same(post, record) then
    return adopt(ctx, row, record, "found after a refusal as a duplicate")
  end
  local ok, why, id = ctx.ledger:outcome(row.id, kind, { message = message })
  if not ok then return nil, why, id end
  if record then return other(row, record) end
  return nil, ("%s: %s"):format(row.kind, message), code
end

-- One attempt: record and how it is known; false when it never arrived; nil, message, code.
local function attempt(ctx, post, row)
  note(ctx, row, "POST about %s, body sha256 %s", row.subject, row.body_sha256)
  local record, message, code = post.send()
  if type(record) == "table" and record.id then return adopt(ctx, row, record, "sent") end
  if code == "interrupted" then return nil, message, code end
  message = message or "the answer names no record"
  local kind = code and outcome.of(code) or "unknown"
  if kind ~= "unknown" then return refused(ctx, post, row, kind, message, code) end
  local ok, why, id = ctx.ledger:outcome(row.id, "unknown", { message = message })
  if not ok then return nil, why, id end
  return M.settle(ctx, ctx.ledger:last_post(row), post.look)
end

--- What is known of a POST of an earlier time; asks the coordinator when its answer was lost.
-- @param ctx as M.send
-- @param row of the ledger
-- @param look as M.send
-- @return record and how it is known; false when it never arrived or was refused; nil, message,
--   code when nobody knows
function M.settle(ctx, row, look)
  if row.state == "done" then
    return { id = row.record_id, status = row.status }, "sent before"
  end
  if row.state ~= "unknown" then return false end
  local record, message, code = search(ctx, row, look)
  if record then return adopt(ctx, row, record, "found after its answer was lost") end
  if code == "interrupted" then return nil, message, code end
  local said = row.message or "it was begun and left without an answer"
  if record == nil then return unknown(row, ("%s; %s"):format(said, message)) end
  local ok, why, id = ctx.ledger:outcome(row.id, "not_sent",
    { message = said .. "; the coordinator shows nothing of it" })
  if not ok then return nil, why, id end
  return false, said
end

-- The newest row about it, settled: a record that answers the question, else false.
local function before(ctx, post, key)
  local row, message, code = ctx.ledger:last_post(key)
  if row == nil then return nil, message, code end
  if not row or row.state == "done" and post.repeats then return false end
  local record, how, id = M.settle(ctx, row, post.look)
  local contents = record and canonical.decode(row.body)
  if contents and not is_same(post, contents) then return other(row, record) end
  return record, how, id
end

--- Sends a POST, unless it was sent before.
-- @param ctx {client=, ledger=, hotkey=, sleep=, run= nil or its row, report= or nil,
--   settle= seconds, 30 when nil}
-- @param post {kind=, subject=, task_id=, body= text or nil (see Ledger:intend),
--   send= function() -> record with id, or nil, message, code,
--   look= function(row) -> what it made, as the coordinator lists it, false when it shows nothing,
--   or nil, message, code; repeats= true when one that was carried out may be followed by another;
--   same= nil or function(contents) -> whether what was sent before, or is listed, is this one}
-- @return record and how it is known, or nil, message, code
function M.send(ctx, post)
  local key = { coordinator = ctx.client.base, hotkey = ctx.hotkey, kind = post.kind,
    subject = tostring(post.subject) }
  local record, how, code = before(ctx, post, key)
  if record ~= false then return record, how, code end
  key.run, key.task_id, key.body = ctx.run and ctx.run.id, post.task_id, post.body
  local row
  row, how, code = ctx.ledger:intend(key)
  for _ = 1, ATTEMPTS do
    if row then row, how, code = ctx.ledger:attempt(row.id) end
    if not row then return nil, how, code end
    record, how, code = attempt(ctx, post, row)
    if record ~= false then return record, how, code end
  end
  return nil, ("%s: %s; the coordinator shows nothing of it after %d tries"):format(post.kind, how,
    ATTEMPTS), "server_error"
end

return M
