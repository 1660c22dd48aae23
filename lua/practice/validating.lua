-- Routes that validators sign: jobs out, results in.
local canonical = require "bittern.canonical"

local answer = require "bittern.practice.answer"
local consensus = require "bittern.practice.consensus"
local database = require "bittern.practice.database"
local judging = require "bittern.practice.judging"
local records = require "bittern.practice.records"
local task_store = require "bittern.practice.task_store"
local transaction = require "bittern.practice.transaction"

local verdict_fields = {
  { name = "status", type = "choice", required = true,
    choices = { "accepted", "rejected", "error" } },
  { name = "observed_metrics", type = "metrics", required = true },
  { name = "notes", type = "string", max = 128000 },
  { name = "replay_log", type = "string", max = 128000 },
}

local result_fields = {
  { name = "submission_id", type = "string", required = true, min = 1 },
  table.unpack(verdict_fields),
}

local scan_fields = { { name = "task_id", type = "string" } }

-- Every pending submission gets a job of this validator, unless it has one.
local create_jobs = [[INSERT INTO job (id, submission_id, validator_hotkey, status, created_at)
  VALUES (?, ?, ?, 'running', ?) RETURNING *]]
local pending = [[SELECT s.id, s.task_id FROM submission AS s
  WHERE s.status = 'pending_verification' AND s.task_id = ifnull(?1, s.task_id)
  AND NOT EXISTS (SELECT 1 FROM job WHERE submission_id = s.id AND validator_hotkey = ?2)
  ORDER BY s.position]]
local open_jobs = [[SELECT job.id AS job_id, s.*
  FROM job JOIN submission AS s ON s.id = job.submission_id
  WHERE job.status = 'running' AND job.validator_hotkey = ?2 AND s.task_id = ifnull(?1, s.task_id)
  ORDER BY job.position]]

local function job_record(context, row)
  local stored = task_store.row(context.db, row.task_id)
  local task = records.task(stored)
  return {
    job_id = row.job_id, submission_id = row.id, task_id = row.task_id, task = task,
    submission = records.submission(row), replay_spec = records.replay_spec(task,
      stored.environment),
  }
end

-- Tasks whose mode has peers are no validator's.
local function judged_by_peers(db)
  local known = {}
  return function(task_id)
    if known[task_id] == nil then
      known[task_id] = consensus.policy(records.task(task_store.row(db, task_id))) ~= nil
    end
    return known[task_id]
  end
end

-- Jobs of this validator that wait for a result: those of a scan whose answer was lost, or whose
-- validator died, come again.
local function jobs(context, call)
  local task_id = call.body.task_id
  local waiting = database.rows(context.db, pending, task_id, call.hotkey)
  local by_peers = judged_by_peers(context.db)
  if #waiting > 0 then
    assert(context.db:transaction(function(db)
      for _, row in ipairs(waiting) do
        if not by_peers(row.task_id) then
          database.put(db, "job", create_jobs, database.uuid(), row.id, call.hotkey,
            database.stamp(context.now()))
        end
      end
      return true
    end))
  end
  return database.rows(context.db, open_jobs, task_id, call.hotkey)
end

local function scan(context, call)
  local list = records.list(jobs(context, call), function(row) return job_record(context, row) end)
  return answer.json(200, { jobs = list })
end

local function claim(context, call)
  local row = jobs(context, call)[1]
  if not row then return answer.detail(404, "no pending validator jobs") end
  return answer.json(200, job_record(context, row))
end

local function finish(context, db, job, verdict)
  local row = database.put(db, "job", [[UPDATE job SET status = ?, observed_metrics = ?, notes = ?,
    replay_log = ? WHERE id = ? RETURNING *]], verdict.status,
    assert(canonical.encode(verdict.observed_metrics)), verdict.notes, verdict.replay_log, job.id)
  return row, judging.decide(context, db, job.submission_id, verdict)
end

-- Nil when the result may be stored, else the answer that refuses.
local function refuse(db, call, job)
  if not job then return answer.detail(404, "Validator job not found") end
  if job.validator_hotkey ~= call.hotkey then
    return answer.detail(403, "validator job belongs to another hotkey")
  end
  if job.submission_id ~= call.body.submission_id then
    return answer.detail(409, "submission_id is not the job's")
  end
  if job.status ~= "running" then return nil end
  local submission = database.row(db, "SELECT task_id FROM submission WHERE id = ?",
    job.submission_id)
  local missing = judging.lacks_metric(records.task(task_store.row(db, submission.task_id)),
    call.body)
  return missing and answer.detail(400, "observed_metrics lacks '" .. missing .. "'") or nil
end

-- The first result of a job stands; the same job again answers what is recorded.
local function result(context, call)
  return transaction(context, function(db, changed)
    local job = database.row(db, "SELECT * FROM job WHERE id = ?", call.id)
    local refusal = refuse(db, call, job)
    if refusal then return refusal end
    local row, decided = job, nil
    if job.status == "running" then row, decided = finish(context, db, job, call.body) end
    if decided then changed(decided) end
    return answer.raw(200, row.record)
  end)
end

-- Production switched this one off; so does practice.
local function verify(context, call)
  local row = database.row(context.db, "SELECT task_id FROM submission WHERE id = ?", call.id)
  if not row then return answer.detail(404, "Submission not found") end
  if consensus.policy(records.task(task_store.row(context.db, row.task_id))) then
    return answer.detail(409, "the task is judged by peers")
  end
  return answer.detail(503, "verifier is not configured")
end

local filters = { "submission_id", "status" }

return {
  { "POST", "/api/v1/validator/submissions/scan", scan, about = "jobs that wait",
    auth = "validator", body = scan_fields, optional_body = true, answer = "jobs" },
  { "POST", "/api/v1/validator/jobs/claim", claim, about = "one job that waits",
    auth = "validator", body = scan_fields, optional_body = true, answer = "job" },
  { "POST", "/api/v1/validator/jobs/{job_id}/result", result, about = "what a job found",
    auth = "validator", body = result_fields, answer = "verification" },
  { "POST", "/api/v1/submissions/{submission_id}/verify", verify,
    about = "a verdict without a job; switched off", auth = "validator", body = verdict_fields,
    answer = "verification" },
  { "GET", "/api/v1/verifications", function(context, call)
    return answer.raw(200, database.list(context.db, "job", filters, call.query))
  end, about = "what validators found", query = filters, answer = "verification", list = true },
}
