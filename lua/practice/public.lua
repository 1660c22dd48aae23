-- Routes that need no signature: what anyone may see.
local canonical = require "bittern.canonical"

local answer = require "bittern.practice.answer"
local database = require "bittern.practice.database"
local records = require "bittern.practice.records"
local task_store = require "bittern.practice.task_store"

local MARKDOWN <const> = "text/markdown; charset=utf-8"

local disclaimer = {
  code = "practice", version = "1", title = "Practice coordinator", must_display = true,
  url = "/api/v1/disclaimer.md",
  summary = "A rehearsal on your own machine: no stake, no reward, no rank. What passes here "
    .. "can still fail there.",
}

-- A handler of a task that exists.
local function with_task(handler)
  return function(context, call)
    local row = task_store.row(context.db, call.id)
    if not row then return answer.detail(404, "Task not found") end
    return handler(context, row)
  end
end

local function disclaimer_text()
  return answer.text(200, ("# %s\n\n%s\n"):format(disclaimer.title, disclaimer.summary), MARKDOWN)
end

local function all_tasks(context)
  local rows = database.rows(context.db, "SELECT * FROM task ORDER BY position")
  return records.list(rows, records.task)
end

local function best(context, task)
  local row = database.row(context.db, [[SELECT s.*, best.updated_at FROM best
    JOIN submission AS s ON s.id = best.submission_id WHERE best.task_id = ?]], task.id)
  if not row then return answer.json(200, canonical.null) end
  local submission, metric = records.submission(row), records.task(task).metric_name
  return answer.json(200, {
    task_id = task.id, submission_id = submission.id, miner_hotkey = submission.miner_hotkey,
    metric_name = metric, metric_value = submission.observed_metrics[metric],
    observed_metrics = submission.observed_metrics, artifact_uri = submission.artifact_uri,
    artifact_sha256 = submission.artifact_sha256,
    artifact_size_bytes = submission.artifact_size_bytes, updated_at = row.updated_at,
  })
end

-- {value = count} over a column.
local function counts(context, name, column)
  local result = {}
  local sql = ("SELECT %s AS value, count(*) AS n FROM %s GROUP BY %s"):format(column, name, column)
  for _, row in ipairs(database.rows(context.db, sql)) do result[row.value] = row.n end
  return result
end

local function dashboard(context)
  local response = answer.json(200, {
    generated_at = database.stamp(context.now()),
    task_counts = counts(context, "task", "task_state"),
    claims = counts(context, "claim", "status"),
    work_items = counts(context, "work_item", "status"),
    submissions = counts(context, "submission", "status"),
    verifications = counts(context, "job", "status"),
    peer_evaluations = counts(context, "peer_evaluation", "status"),
    tasks = all_tasks(context),
  })
  response.headers["Cache-Control"] = "no-store"
  return response
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

local function competition(context, task)
  local record = records.task(task)
  return {
    slug = task.slug, competition_mode = record.competition_mode,
    scoring_mode = "accepted_plus_best",
    reward_scope = "practice", weight = 1.0,
    miners = canonical.array(database.rows(context.db, scores, task.id)),
  }
end

local function snapshot(context)
  local rows = database.rows(context.db,
    "SELECT * FROM task WHERE task_state <> 'closed' ORDER BY position")
  local list = records.list(rows, function(task) return competition(context, task) end)
  return answer.json(200, {
    generated_at = database.stamp(context.now()), score_ema_days = 10, competition_count = #list,
    competitions = list,
  })
end

local reward_filters = { "task_id", "submission_id", "proposer_hotkey", "implementer_hotkey" }

return {
  { "GET", "/healthz", function() return answer.json(200, { status = "ok" }) end,
    about = "whether the service is well", answer = "health" },
  { "GET", "/readyz", function() return { status = 204, headers = {}, body = "" } end,
    about = "whether the service takes requests", status = 204 },
  { "GET", "/api/v1/disclaimer", function() return answer.json(200, disclaimer) end,
    about = "what one accepts by using the service", answer = "disclaimer" },
  { "GET", "/api/v1/disclaimer.md", disclaimer_text, about = "the same, to read",
    answer = "text" },
  { "GET", "/disclaimer.md", disclaimer_text, about = "the same, to read", answer = "text" },
  { "GET", "/api/v1/tasks", function(context) return answer.json(200, all_tasks(context)) end,
    about = "every task", answer = "task", list = true },
  { "GET", "/api/v1/tasks/{task_id}", with_task(function(_, task)
    return answer.json(200, records.task(task))
  end), about = "one task", answer = "task" },
  { "GET", "/api/v1/tasks/{task_id}/onboard.md", with_task(function(_, task)
    return answer.text(200, task.onboard_md, MARKDOWN)
  end), about = "what a miner has to know", answer = "text" },
  { "GET", "/api/v1/tasks/{task_id}/best", with_task(best), about = "the submission to beat",
    answer = "best" },
  { "GET", "/api/v1/idea-rewards", function(context, call)
    return answer.raw(200, database.list(context.db, "idea_reward", reward_filters, call.query))
  end, about = "what ideas earned that others built on", query = reward_filters,
    answer = "idea_reward", list = true },
  { "GET", "/api/v1/reward-snapshot", snapshot, about = "who would be paid what share",
    answer = "reward_snapshot" },
  { "GET", "/api/v1/onchain/status", function()
    return answer.json(200, { configured = false })
  end, about = "how the service stands to the chain", answer = "onchain_status" },
  { "GET", "/api/v1/dashboard", dashboard, about = "the service in numbers",
    answer = "dashboard" },
}
