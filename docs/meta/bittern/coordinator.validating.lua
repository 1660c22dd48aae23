---@meta bittern.coordinator.validating
-- Generated from lua/coordinator/validating.lua by docs/generate.lua (`make docs`); edit there.

--- Calls that validators sign; methods of bittern.coordinator's client.
---@class bittern.coordinator.validating
local M = {}

---@class bittern.coordinator.validating.client
local client = {}

--- Jobs that wait for this validator.
---@param task_id? string only of this task, or nil
---@return table? # array of jobs, or nil, message, code.
---@return string? message
---@return string? code
function client:scan_jobs(task_id) end

--- One job of this validator.
---@param task_id? string only of this task, or nil
---@return any? # job, false when there is none, or nil, message, code.
---@return string? message
---@return string? code
function client:claim_job(task_id) end

--- Posts what a job found.
---@param job_id string a verification job's id
---@param result? table {submission_id=, status=, observed_metrics=, notes= or nil, replay_log= or nil}
---@return any? # verification, whose id is the job's, or nil, message, code.
---@return string? message
---@return string? code
function client:job_result(job_id, result) end

--- Posts a verdict without a job: a route that coordinators no longer have switched on.
---@param submission_id string a submission's id
---@param result any as job_result, without submission_id
function client:verify(submission_id, result) end

return M
