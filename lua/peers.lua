-- Judging the submissions of other miners, where a task's mode has peers (contract.md 5.3). What
-- is sent was measured here, by the replay that validators make; no claimed metric is ever copied.
local fs = require "core.fs"

local benchmark = require "bittern.practice.benchmark"
local canonical = require "bittern.canonical"
local common = require "bittern.rules.common"
local json = require "bittern.json"
local once = require "bittern.once"
local paths = require "bittern.paths"
local preview = require "bittern.preview"
local replay = require "bittern.practice.replay"
local scoring = require "bittern.peers.scoring"
local script = require "bittern.script"

local M = {}

local KIND <const> = "peer_evaluation"

--- How the peers of a task judge.
-- @param task record
-- @return the mode's `peers`, or nil, message, code
function M.policy(task)
  local mode, message, code = script.find("mode", task.competition_mode)
  if not mode and code ~= "not_found" then return nil, message, code end
  if not mode then
    return nil, ("task %s: the competition mode '%s' is not known here"):format(task.slug,
      task.competition_mode), "stop"
  end
  if mode.peers then return mode.peers end
  return nil, ("task %s: its mode is %s; validators judge, not peers"):format(task.slug,
    task.competition_mode), "other_mode"
end

--- Whether our hotkey may judge a submission, before anything is measured.
-- @param open {client=, hotkey=, task=}
-- @param policy as M.policy
-- @return true; false and why not; or nil, message, code
function M.may_judge(open, policy, submission)
  if submission.task_id and submission.task_id ~= open.task.id then
    return false, "it belongs to another task"
  end
  if submission.status ~= "pending_verification" then
    return false, "it is decided: " .. tostring(submission.status)
  end
  local list, message, code = open.client:peer_evaluations { submission_id = submission.id }
  if not list then return nil, message, code end
  local ok, reason = policy.check({}, submission,
    { hotkey = open.hotkey, evaluations = list, task = open.task })
  if not ok then return false, reason or "the mode refuses it" end
  -- A list may lag behind; that the consensus cannot be asked for stops nothing.
  local consensus = open.client:peer_consensus(submission.id)
  local status = consensus and consensus.status
  if status == "accepted" or status == "rejected" then
    return false, "the peers agree already: " .. status
  end
  return true
end

--- The submissions of a task that our hotkey may judge, in the server's order.
-- @return array of records, or nil, message, code
function M.waiting(open, policy)
  local list, message, code = open.client:submissions {
    task_id = open.task.id, status = "pending_verification",
  }
  if not list then return nil, message, code end
  local waiting = json.array {}
  for _, submission in ipairs(list) do
    local may, why, id = M.may_judge(open, policy, submission)
    if may == nil then return nil, why, id end
    if may then waiting[#waiting + 1] = submission end
  end
  return waiting
end

-- What is replayed: the whole record and the spec, where the server shows them.
local function job_of(open, submission)
  local detail, message, code = open.client:detail(submission.id)
  if not detail and code ~= "not_found" then return nil, message, code end
  detail = detail or {}
  return {
    job_id = submission.id, submission_id = submission.id, task = open.task,
    submission = detail.submission or submission, replay_spec = detail.replay_spec,
  }
end

local function replayed(open, job, folder, sandbox)
  local result, message, code = replay.run(job, {
    folder = folder, benchmark = benchmark.run, sandbox = sandbox,
    rehearsal = common.is_local(open.client.base),
  })
  if not result then return nil, ("replay of %s: %s"):format(job.job_id, message), code end
  local metrics = result.observed_metrics
  return { status = result.status, notes = result.notes,
    observed_metrics = metrics ~= json.null and metrics or {} }
end

--- Measures a submission on this machine: replayed as validators do, or scored on a text.
-- @param open {client=, task=}
-- @param submission record
-- @param how {sandbox = "bwrap", or nil: its commands run with the user's rights; text = to score
--   on instead, rules = of the task}
-- @return {status=, notes=, observed_metrics=}, or nil, message, code
function M.measure(open, submission, how)
  local job, message, code = job_of(open, submission)
  if not job then return nil, message, code end
  local folder = ("%s/peers/%s"):format(paths.cache(), submission.id:gsub("[^%w_-]", "-"))
  local made, why, id = fs.mkdir(folder)
  if not made then return nil, why, id end
  local result, trouble, kind
  if how.text then
    result, trouble, kind = scoring.measure(job.submission, { task = open.task, text = how.text,
      rules = how.rules, path = folder .. "/artifact" })
  else
    result, trouble, kind = replayed(open, job, folder, how.sandbox)
  end
  fs.remove(folder)
  return result, trouble, kind
end

local function body_of(measured)
  return { status = measured.status, observed_metrics = measured.observed_metrics,
    notes = measured.notes }
end

--- The request that would tell the coordinator.
-- @return as preview.request
function M.preview(open, submission, measured)
  local text, message, code = canonical.encode(body_of(measured))
  if not text then return nil, message, code end
  return preview.request(open.client, { method = "POST", body = text,
    path = ("/api/v1/submissions/%s/peer-evaluate"):format(submission.id) })
end

-- Our verdict, as the coordinator lists it.
local function look(open)
  return function(row)
    local list, message, code = open.client:peer_evaluations {
      submission_id = row.subject, evaluator_hotkey = open.hotkey,
    }
    if not list then return nil, "list peer evaluations: " .. message, code end
    for i = #list, 1, -1 do
      if list[i].evaluator_hotkey == open.hotkey then return list[i] end
    end
    return false
  end
end

--- Sends a verdict, once.
-- @param open as once.send, with task=
-- @param measured as M.measure; an error is nobody's verdict and is not sent
-- @return peer evaluation and how it is known, or nil, message, code
function M.send(open, submission, measured)
  assert(measured.status ~= "error", "an error is no verdict")
  local body = body_of(measured)
  local text, message, code = canonical.encode(body)
  if not text then return nil, "peer evaluation: " .. message, code end
  return once.send(open, {
    kind = KIND, subject = submission.id, task_id = open.task.id, body = text, look = look(open),
    send = function() return open.client:peer_evaluate(submission.id, body) end,
  })
end

--- What became of a verdict that was sent; as once.settle.
function M.settle(open, row)
  return once.settle(open, row, look(open))
end

return M
