---@meta bittern.coordinator.mining
-- Generated from lua/coordinator/mining.lua by docs/generate.lua (`make docs`); edit there.

--- Calls about claims, work items and submissions; methods of bittern.coordinator's client.
---@class bittern.coordinator.mining
local M = {}

---@class bittern.coordinator.mining.client
local client = {}

--- Claims a task.
---@param task table its record
---@param description string text that others see
---@param base_submission_id? any of the submission that is built on, or nil
---@return any? # claim with id, or nil, message, code ("unknown_outcome": look with claims first).
---@return string? message
---@return string? code
function client:claim(task, description, base_submission_id) end

--- Claims, all or filtered.
---@param filter? table {task_id=, status=}, both optional
function client:claims(filter) end

--- Cancels a claim of ours; the answer may be empty.
---@param claim_id string a claim's id
function client:cancel(claim_id) end

--- What the planner would like to see done.
---@param filter? table {task_id=, status=}, both optional
function client:work_items(filter) end

--- Claims a work item. With nothing to say the body is an empty object, as the reference's is.
---@param item table a work item's record
---@param description string text that others see
---@return any? # claim with id, or nil, message, code ("unknown_outcome": look with claims first).
---@return string? message
---@return string? code
function client:claim_work_item(item, description) end

--- Sends a submission: its body, as the gate passed it.
---@param body table the fields that are sent
---@return any? # submission with id, or nil, message, code ("unknown_outcome": look with submissions).
---@return string? message
---@return string? code
function client:submit(body) end

--- Submissions, all or filtered; production wants this signed.
---@param filter? table {task_id=, status=}, both optional
function client:submissions(filter) end

--- One submission.
---@param id string
function client:submission(id) end

--- One submission with what became of it: submission, verifications, peer_evaluations, peer_consensus, idea_rewards, metric_name.
---@param id string
function client:detail(id) end

--- The log that came with a submission.
---@param id string
---@return string? # text, or nil, message, code ("not_found": it has none).
---@return string? message
---@return string? code
function client:execution_log(id) end

--- Where the coordinator says that a submission's artifact lies; it redirects there.
---@param id string
---@return any? # URL, or nil, message, code.
---@return string? message
---@return string? code
function client:artifact(id) end

--- What validators found.
---@param submission_id string all of them when nil
---@param status? any only these, or nil
function client:verifications(submission_id, status) end

return M
