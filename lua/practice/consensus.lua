-- What peers have agreed on, as the task's mode counts their verdicts.
local canonical = require "bittern.canonical"
local script = require "bittern.script"

local database = require "bittern.practice.database"
local records = require "bittern.practice.records"

local M = {}

local function evaluations_of(db, submission_id)
  local rows = database.rows(db,
    "SELECT * FROM peer_evaluation WHERE submission_id = ? ORDER BY position", submission_id)
  for i, row in ipairs(rows) do rows[i] = records.without_nulls(records.peer_evaluation(row)) end
  return rows
end

--- The part of a task's mode that is about peers, or nil when validators judge.
function M.policy(task)
  local mode = script.find("mode", task.competition_mode)
  return mode and mode.peers or nil
end

local function count(evaluations, status)
  local n = 0
  for _, evaluation in ipairs(evaluations) do
    if evaluation.status == status then n = n + 1 end
  end
  return n
end

--- The consensus on a submission.
-- @param row of the submission
-- @param task its task's record
-- @return {submission_id=, status= "pending" until the mode says otherwise, accepted_count=,
--   rejected_count=, error_count=, observed_metrics= or null}, evaluations; nil when the task's
--   mode has no peers
function M.of(db, row, task)
  local policy = M.policy(task)
  if not policy then return nil end
  local evaluations = evaluations_of(db, row.id)
  local verdict = policy.consensus(evaluations, task) or { status = "pending" }
  return {
    submission_id = row.id, status = verdict.status,
    accepted_count = count(evaluations, "accepted"),
    rejected_count = count(evaluations, "rejected"), error_count = count(evaluations, "error"),
    min_peer_evaluations = task.min_peer_evaluations,
    observed_metrics = verdict.observed_metrics or canonical.null,
  }, evaluations
end

return M
