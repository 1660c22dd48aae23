-- The service in numbers: what the API's dashboard, the reward snapshot and the pages show.
local canonical = require "bittern.canonical"

local database = require "bittern.practice.database"
local records = require "bittern.practice.records"

local M = {}

-- {value = count} over a column.
local function counts(context, name, column)
  local result = {}
  local sql = ("SELECT %s AS value, count(*) AS n FROM %s GROUP BY %s"):format(column, name, column)
  for _, row in ipairs(database.rows(context.db, sql)) do result[row.value] = row.n end
  return result
end

--- Every task's record.
function M.tasks(context)
  local rows = database.rows(context.db, "SELECT * FROM task ORDER BY position")
  return records.list(rows, records.task)
end

--- The dashboard record.
function M.dashboard(context)
  return {
    generated_at = database.stamp(context.now()),
    task_counts = counts(context, "task", "task_state"),
    claims = counts(context, "claim", "status"),
    work_items = counts(context, "work_item", "status"),
    submissions = counts(context, "submission", "status"),
    verifications = counts(context, "job", "status"),
    peer_evaluations = counts(context, "peer_evaluation", "status"),
    tasks = M.tasks(context),
  }
end

--- The record of a task's best submission, or nil.
-- @param task row
function M.best(context, task)
  local row = database.row(context.db, [[SELECT s.*, best.updated_at FROM best
    JOIN submission AS s ON s.id = best.submission_id WHERE best.task_id = ?]], task.id)
  if not row then return nil end
  local submission, metric = records.submission(row), records.task(task).metric_name
  return {
    task_id = task.id, submission_id = submission.id, miner_hotkey = submission.miner_hotkey,
    metric_name = metric, metric_value = submission.observed_metrics[metric],
    observed_metrics = submission.observed_metrics, artifact_uri = submission.artifact_uri,
    artifact_sha256 = submission.artifact_sha256,
    artifact_size_bytes = submission.artifact_size_bytes, updated_at = row.updated_at,
  }
end

-- One point an accepted submission, one more for the best, and what ideas earned:
-- accepted_plus_best without decay.
local scores = [[SELECT hotkey, sum(score) AS score FROM (
    SELECT miner_hotkey AS hotkey, 1.0 AS score FROM submission
      WHERE task_id = ?1 AND status = 'accepted'
    UNION ALL SELECT s.miner_hotkey, 1.0 FROM best JOIN submission AS s ON s.id = best.submission_id
      WHERE best.task_id = ?1
    UNION ALL SELECT proposer_hotkey, proposer_score FROM idea_reward WHERE task_id = ?1
    UNION ALL SELECT implementer_hotkey, implementer_score FROM idea_reward WHERE task_id = ?1)
  GROUP BY hotkey ORDER BY score DESC, hotkey]]

--- How the miners of a task stand.
-- @param task row
function M.competition(context, task)
  local record = records.task(task)
  return {
    slug = task.slug, competition_mode = record.competition_mode,
    scoring_mode = "accepted_plus_best",
    reward_scope = "practice", weight = 1.0,
    miners = canonical.array(database.rows(context.db, scores, task.id)),
  }
end

--- The competition of every task that is not closed.
function M.competitions(context)
  local rows = database.rows(context.db,
    "SELECT * FROM task WHERE task_state <> 'closed' ORDER BY position")
  return records.list(rows, function(task) return M.competition(context, task) end)
end

return M
