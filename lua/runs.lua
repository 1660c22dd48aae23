-- What becomes of the unfinished run of a task: continued, or abandoned with its claim given back.
local canonical = require "bittern.canonical"
local claims = require "bittern.claim"
local submit = require "bittern.submit"

local M = {}

--- Whether a submission of the ledger may have reached the coordinator.
function M.may_be_out(row)
  return row.state == "done" or row.state == "unknown"
end

-- The submission of a run when it may be out; false when not.
local function sent_by(open, run)
  local sent, message, code = open.ledger:run_post(run.id, "submission")
  if sent == nil then return nil, message, code end
  return sent and M.may_be_out(sent) and sent
end

-- The claim that a run worked with, and its task.
local function claim_of(open, run)
  local claim, task = open.ledger:step(run.id, "claim"), open.ledger:step(run.id, "discover")
  local task_record = task and task.result and task.result.task
  return claim and claim.result and claim.result.id, task_record and task_record.id
end

--- Ends an unfinished run and gives its claim back, once it is known what became of its submission.
-- @param open as once.send takes it
-- @param run of the ledger
-- @return run and the claim that was given back or nil; or nil, message, code
function M.abandon(open, run)
  local sent, message, code = sent_by(open, run)
  if sent == nil then return nil, message, code end
  local record
  if sent then record, message, code = submit.settle(open, sent) end
  if sent and record == nil then return nil, message, code end
  local claim = not record and claims.abandon(open, claim_of(open, run)) or nil
  local ended
  ended, message, code = open.ledger:end_run(run.id, "abandoned")
  if not ended then return nil, message, code end
  return run, claim
end

--- Makes way for a run: abandons the unfinished one when that is asked for. Other settings cannot
-- change what was sent, and nothing new begins before it is known what became of it.
-- @param open as once.send takes it, with key= (see Ledger:last_run)
-- @param restart boolean
-- @param settings of the new run
-- @return true, or nil, message, code
function M.prepare(open, restart, settings)
  local run, message, code = open.ledger:last_run(open.key)
  if run == nil then return nil, message, code end
  if not run or run.state ~= "open" then return true end
  if restart then
    run, message, code = M.abandon(open, run)
    return run and true, message, code
  end
  local sent
  sent, message, code = sent_by(open, run)
  if sent == nil then return nil, message, code end
  if not sent or run.settings == canonical.encode(settings) then return true end
  return nil, ("run %d has submitted with other settings; give the same ones to follow it, "
    .. "or --restart to begin anew"):format(run.id), "config"
end

return M
