-- Rows of the database as the records that the API shows (contract.md 1.4).
local canonical = require "bittern.canonical"

local M = {}

local null <const> = canonical.null

-- What we wrote ourselves reads back.
local function stored(text)
  if text == nil then return null end
  return assert(canonical.decode(text))
end

local function or_null(value)
  if value == nil then return null end
  return value
end

--- A task, 1.4.1. Like production's today it does not say which fields a submission needs.
function M.task(row)
  local record = stored(row.record)
  record.id, record.task_state = row.id, row.task_state
  record.is_active = row.task_state == "live"
  record.onboard_path = "/api/v1/tasks/" .. row.id .. "/onboard.md"
  record.created_at, record.updated_at = row.created_at, row.updated_at
  return record
end

--- A claim, 1.4.3.
function M.claim(row)
  return {
    id = row.id, task_id = row.task_id, miner_hotkey = row.miner_hotkey, status = row.status,
    claim_description = row.claim_description, base_submission_id = or_null(row.base_submission_id),
    work_item_id = or_null(row.work_item_id), created_at = row.created_at,
  }
end

--- A work item, 1.4.4.
function M.work_item(row)
  return {
    id = row.id, task_id = row.task_id, kind = row.kind, strategy_key = row.strategy_key,
    title = row.title, instructions = row.instructions, priority = or_null(row.priority),
    status = row.status, claim_id = or_null(row.claim_id),
    base_submission_id = or_null(row.base_submission_id), created_at = row.created_at,
  }
end

local optional = {
  "proposed_idea", "implemented_submission_id", "artifact_uri", "artifact_sha256",
  "artifact_size_bytes", "execution_log",
}

--- A submission, 1.4.5.
function M.submission(row)
  local record = stored(row.body)
  for _, name in ipairs(optional) do record[name] = or_null(record[name]) end
  record.id, record.task_id, record.claim_id = row.id, row.task_id, row.claim_id
  record.miner_hotkey, record.status = row.miner_hotkey, row.status
  record.created_at = row.created_at
  record.base_commit_sha, record.observed_metrics = null, stored(row.observed_metrics)
  return record
end

--- A verification, 1.4.7: its id is the validator job's.
function M.job(row)
  return {
    id = row.id, submission_id = row.submission_id, validator_hotkey = row.validator_hotkey,
    status = row.status, observed_metrics = stored(row.observed_metrics),
    notes = or_null(row.notes), created_at = row.created_at,
  }
end

--- A peer's verdict, 1.4.8.
function M.peer_evaluation(row)
  return {
    id = row.id, submission_id = row.submission_id, evaluator_hotkey = row.evaluator_hotkey,
    status = row.status, observed_metrics = stored(row.observed_metrics),
    notes = or_null(row.notes), created_at = row.created_at,
  }
end

--- A reward for an idea that somebody else made the best of its task.
function M.idea_reward(row)
  return {
    id = row.id, task_id = row.task_id, submission_id = row.submission_id,
    implemented_submission_id = row.implemented_submission_id,
    proposer_hotkey = row.proposer_hotkey, implementer_hotkey = row.implementer_hotkey,
    proposer_score = row.proposer_score, implementer_score = row.implementer_score,
    created_at = row.created_at,
  }
end

--- What a validator needs to replay, 4.2.
-- @param task record
-- @param environment what validators know beside it, as JSON
function M.replay_spec(task, environment)
  local spec = {}
  for _, name in ipairs {
    "repository", "base_ref", "setup_command", "benchmark_command", "result_path",
    "allowed_patch_paths", "max_patch_bytes", "metric_name", "metric_direction", "ranking_mode",
    "secondary_metric_name", "secondary_metric_direction", "time_budget_seconds",
  } do spec[name] = task[name] end
  spec.base_commit_sha = null
  spec.validator_benchmark_env = stored(environment)
  return spec
end

--- A record without its nulls, as scripts like it.
function M.without_nulls(record)
  local copy = {}
  for name, value in pairs(record) do
    if value ~= null then copy[name] = value end
  end
  return copy
end

--- All rows through one of these, as an array that may be empty.
function M.list(rows, shape)
  local list = canonical.array {}
  for i, row in ipairs(rows) do list[i] = shape(row) end
  return list
end

return M
