-- Routes that validators sign: jobs out, results in, and who becomes best.
local canonical = require "bittern.canonical"
local script = require "bittern.script"

local answer = require "bittern.practice.answer"
local body = require "bittern.practice.body"
local database = require "bittern.practice.database"
local records = require "bittern.practice.records"

local result_fields = {
  { name = "submission_id", type = "string", required = true, min = 1 },
  { name = "status", type = "choice", required = true,
    choices = { "accepted", "rejected", "error" } },
  { name = "observed_metrics", type = "metrics", required = true },
  { name = "notes", type = "string", max = 128000 },
  { name = "replay_log", type = "string", max = 128000 },
}

-- Every pending submission gets a job of this validator, unless it has one.
local create_jobs = [[INSERT INTO job (id, submission_id, validator_hotkey, status, created_at)
  VALUES (?, ?, ?, 'running', ?)]]
local pending = [[SELECT s.id FROM submission AS s WHERE s.status = 'pending_verification'
  AND s.task_id = ifnull(?1, s.task_id)
  AND NOT EXISTS (SELECT 1 FROM job WHERE submission_id = s.id AND validator_hotkey = ?2)
  ORDER BY s.position]]
local open_jobs = [[SELECT job.id AS job_id, s.*
  FROM job JOIN submission AS s ON s.id = job.submission_id
  WHERE job.status = 'running' AND job.validator_hotkey = ?2 AND s.task_id = ifnull(?1, s.task_id)
  ORDER BY job.position]]

local function task_row(db, id)
  return database.row(db, "SELECT * FROM task WHERE id = ?", id)
end

local function job_record(context, row)
  local task = records.task(task_row(context.db, row.task_id))
  return {
    job_id = row.job_id, submission_id = row.id, task_id = row.task_id, task = task,
    submission = records.submission(row), replay_spec = records.replay_spec(task),
  }
end

-- Jobs of this validator that wait for a result: those of a scan whose answer was lost, or whose
-- validator died, come again.
local function jobs(context, call)
  local task_id = type(call.body) == "table" and call.body.task_id or nil
  assert(context.db:transaction(function(db)
    for _, row in ipairs(database.rows(db, pending, task_id, call.hotkey)) do
      assert(db:exec(create_jobs, database.uuid(), row.id, call.hotkey,
        database.stamp(context.now())))
    end
    return true
  end))
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

-- What a mode compares: the submission's record, without its nulls.
local function contender(row)
  local record = records.submission(row)
  for name, value in pairs(record) do
    if value == canonical.null then record[name] = nil end
  end
  return record
end

-- The mode's word on an accepted result; raises when there is no such mode.
local function judge_best(context, db, submission)
  local task = records.task(task_row(db, submission.task_id))
  local best = database.row(db, [[SELECT s.*
    FROM best JOIN submission AS s ON s.id = best.submission_id
    WHERE best.task_id = ?]], submission.task_id)
  local mode = assert(script.find("mode", task.competition_mode))
  if not mode.accept(contender(submission), best and contender(best) or nil, task) then return end
  assert(db:exec([[INSERT INTO best (task_id, submission_id, updated_at) VALUES (?, ?, ?)
    ON CONFLICT (task_id) DO UPDATE SET submission_id = excluded.submission_id,
    updated_at = excluded.updated_at]], submission.task_id, submission.id,
    database.stamp(context.now())))
end

local function record_result(context, db, job, fields)
  local metrics = assert(canonical.encode(fields.observed_metrics))
  job = database.row(db, [[UPDATE job SET status = ?, observed_metrics = ?, notes = ?,
    replay_log = ?
    WHERE id = ? RETURNING *]], fields.status, metrics, fields.notes, fields.replay_log, job.id)
  local submission = database.row(db, [[UPDATE submission SET status = ?, observed_metrics = ?
    WHERE id = ? AND status = 'pending_verification' RETURNING *]], fields.status, metrics,
    job.submission_id)
  if submission and fields.status == "accepted" then judge_best(context, db, submission) end
  return answer.json(200, records.verification(job))
end

-- An accepted result without the task's metric would decide nothing.
local function lacks_metric(db, job, fields)
  local row = database.row(db, [[SELECT task.* FROM task JOIN submission AS s ON s.task_id = task.id
    WHERE s.id = ?]], job.submission_id)
  local name = records.task(row).metric_name
  return fields.status == "accepted" and fields.observed_metrics[name] == nil and name or nil
end

-- The first result of a job stands; the same job again answers what is recorded.
local function store_result(context, db, call, fields)
  local job = database.row(db, "SELECT * FROM job WHERE id = ?", call.id)
  if not job then return answer.detail(404, "Validator job not found") end
  if job.validator_hotkey ~= call.hotkey then
    return answer.detail(403, "validator job belongs to another hotkey")
  end
  if job.submission_id ~= fields.submission_id then
    return answer.detail(409, "submission_id is not the job's")
  end
  if job.status ~= "running" then return answer.json(200, records.verification(job)) end
  local missing = lacks_metric(db, job, fields)
  if missing then return answer.detail(400, "observed_metrics lacks '" .. missing .. "'") end
  return record_result(context, db, job, fields)
end

local function result(context, call)
  local fields, wrong = body.check(call.body, result_fields)
  if not fields then return answer.invalid(wrong) end
  return assert(context.db:transaction(function(db)
    return store_result(context, db, call, fields)
  end))
end

return {
  { "POST", "/api/v1/validator/submissions/scan", scan, auth = "validator" },
  { "POST", "/api/v1/validator/jobs/claim", claim, auth = "validator" },
  { "POST", "/api/v1/validator/jobs/{id}/result", result, auth = "validator" },
}
