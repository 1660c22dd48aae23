-- What an accepted result leads to: the mode's word on who is best, and what ideas earn.
local canonical = require "bittern.canonical"
local script = require "bittern.script"

local database = require "bittern.practice.database"
local records = require "bittern.practice.records"
local task_store = require "bittern.practice.task_store"

local M = {}

-- What a mode compares: the submission's record, without its nulls.
local function contender(row)
  return records.without_nulls(records.submission(row))
end

local function reward(context, db, mode, winner, task)
  local named = mode.reward and winner.implemented_submission_id
  local row = named and database.row(db, "SELECT * FROM submission WHERE id = ?", named)
  local scores = row and mode.reward(winner, contender(row), task)
  if not scores then return end
  database.put(db, "idea_reward", [[INSERT INTO idea_reward
    (id, task_id, submission_id, implemented_submission_id, proposer_hotkey, implementer_hotkey,
     proposer_score, implementer_score, created_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *]], database.uuid(), winner.task_id, winner.id,
    named, row.miner_hotkey, winner.miner_hotkey, scores.proposer + 0.0, scores.implementer + 0.0,
    database.stamp(context.now()))
end

-- The present best of a task as modes see it, its anchor with it, or nil.
local function incumbent(db, task_id)
  local row = database.row(db, [[SELECT s.*, best.anchor_id
    FROM best JOIN submission AS s ON s.id = best.submission_id
    WHERE best.task_id = ?]], task_id)
  if not row then return nil end
  local best = contender(row)
  best.anchor = contender(database.row(db, "SELECT * FROM submission WHERE id = ?", row.anchor_id))
  return best
end

--- The mode's word on an accepted submission; raises when there is no such mode.
-- @param row of the submission, its observed metrics in it
function M.best(context, db, row)
  local task = records.task(task_store.row(db, row.task_id))
  local mode = assert(script.find("mode", task.competition_mode))
  local winner, best = contender(row), incumbent(db, row.task_id)
  local args = assert(script.arguments(mode, task.mode_args))
  local accepted, _, how = mode.accept(winner, best, records.without_nulls(task), args)
  if not accepted then return end
  -- Who wins by size alone stays within the band of the one before.
  local anchor = how == "size" and best and best.anchor.id or row.id
  assert(db:exec([[INSERT INTO best (task_id, submission_id, anchor_id, updated_at)
    VALUES (?, ?, ?, ?)
    ON CONFLICT (task_id) DO UPDATE SET submission_id = excluded.submission_id,
    anchor_id = excluded.anchor_id, updated_at = excluded.updated_at]], row.task_id, row.id, anchor,
    database.stamp(context.now())))
  reward(context, db, mode, winner, task)
end

--- Gives a pending submission its verdict; of two the first stands.
-- @param verdict {status=, observed_metrics= or nil}
-- @return its row when this was the first verdict, or nil
function M.decide(context, db, submission_id, verdict)
  local metrics = assert(canonical.encode(verdict.observed_metrics or canonical.null))
  local row = database.put(db, "submission", [[UPDATE submission
    SET status = ?, observed_metrics = ? WHERE id = ? AND status = 'pending_verification'
    RETURNING *]], verdict.status, metrics, submission_id)
  if row and verdict.status == "accepted" then M.best(context, db, row) end
  return row
end

--- The name of the task's metric when an accepted verdict lacks it: it would decide nothing.
function M.lacks_metric(task, verdict)
  local name = task.metric_name
  return verdict.status == "accepted" and verdict.observed_metrics[name] == nil and name or nil
end

return M
