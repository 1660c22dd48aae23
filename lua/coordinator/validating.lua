-- Calls that validators sign; methods of bittern.coordinator's client.
local ask = require "bittern.coordinator.ask"
local records = require "bittern.coordinator.records"

local Client = {}

local idle = { idle = true, empty = true, none = true }

-- A job comes bare or wrapped, and not at all in several ways.
local function unwrap(value, warn)
  local job = type(value.job) == "table" and records.shape("job", value.job, warn) or value
  job.job_id = job.job_id or job.id
  return not idle[job.status] and job.job_id and job or nil
end

local function of_task(task_id)
  return task_id and { task_id = task_id } or nil
end

--- Jobs that wait for this validator.
-- @param task_id only of this task, or nil
-- @return array of jobs, or nil, message, code
function Client:scan_jobs(task_id)
  local found, message, code = ask.post(self, "scan_jobs", nil, of_task(task_id))
  if code == "not_found" then return {} end
  if not found then return nil, message, code end
  local list = {}
  for _, value in ipairs(found.jobs or {}) do list[#list + 1] = unwrap(value, self.warn) end
  return list
end

--- One job of this validator.
-- @param task_id only of this task, or nil
-- @return job, false when there is none, or nil, message, code
function Client:claim_job(task_id)
  local value, message, code = ask.post(self, "claim_job", nil, of_task(task_id))
  if code == "not_found" and message:find("no pending validator jobs", 1, true) then
    return false
  end
  if not value then return nil, message, code end
  return unwrap(value, self.warn) or false
end

--- Posts what a job found.
-- @param result {submission_id=, status=, observed_metrics=, notes= or nil, replay_log= or nil}
-- @return verification, whose id is the job's, or nil, message, code
function Client:job_result(job_id, result)
  return ask.make(self, "job_result", job_id, result)
end

--- Posts a verdict without a job: a route that coordinators no longer have switched on.
-- @param result as job_result, without submission_id
function Client:verify(submission_id, result)
  return ask.make(self, "verify", submission_id, result)
end

return Client
