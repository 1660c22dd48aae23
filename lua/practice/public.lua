-- Routes that need no signature: what anyone may see.
local canonical = require "bittern.canonical"

local answer = require "bittern.practice.answer"
local database = require "bittern.practice.database"
local records = require "bittern.practice.records"

local disclaimer = {
  code = "practice", version = "1", title = "Practice coordinator", must_display = true,
  url = "/api/v1/disclaimer.md",
  summary = "A rehearsal on your own machine: no stake, no reward, no rank. What passes here "
    .. "can still fail there.",
}

local function empty_list()
  return answer.json(200, canonical.array {})
end

-- Rows of a table whose columns equal the query's values; absent ones do not filter.
local function filtered(context, name, columns, query)
  local where, values = {}, {}
  for _, column in ipairs(columns) do
    if query[column] then
      where[#where + 1] = column .. " = ?"
      values[#values + 1] = query[column]
    end
  end
  local sql = "SELECT * FROM " .. name
  if #where > 0 then sql = sql .. " WHERE " .. table.concat(where, " AND ") end
  return database.rows(context.db, sql .. " ORDER BY position", table.unpack(values))
end

-- A handler of a task that exists.
local function with_task(handler)
  return function(context, call)
    local row = database.row(context.db, "SELECT * FROM task WHERE id = ?", call.id)
    if not row then return answer.detail(404, "Task not found") end
    return handler(context, row)
  end
end

local function disclaimer_text()
  return answer.text(200, ("# %s\n\n%s\n"):format(disclaimer.title, disclaimer.summary),
    "text/markdown; charset=utf-8")
end

local function all_tasks(context)
  return database.rows(context.db, "SELECT * FROM task ORDER BY position")
end

local function tasks(context)
  return answer.json(200, records.list(all_tasks(context), records.task))
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
    submissions = counts(context, "submission", "status"),
    verifications = counts(context, "job", "status"),
    tasks = records.list(all_tasks(context), records.task),
  })
  response.headers["Cache-Control"] = "no-store"
  return response
end

-- One point an accepted submission, one more for the best: accepted_plus_best without decay.
local scores = [[SELECT miner_hotkey AS hotkey, count(*) + count(best.submission_id) + 0.0 AS score
  FROM submission AS s LEFT JOIN best ON best.submission_id = s.id
  WHERE s.task_id = ? AND s.status = 'accepted' GROUP BY miner_hotkey ORDER BY score DESC, hotkey]]

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

return {
  { "GET", "/healthz", function() return answer.json(200, { status = "ok" }) end },
  { "GET", "/readyz", function() return { status = 204, headers = {}, body = "" } end },
  { "GET", "/api/v1/disclaimer", function() return answer.json(200, disclaimer) end },
  { "GET", "/api/v1/disclaimer.md", disclaimer_text },
  { "GET", "/disclaimer.md", disclaimer_text },
  { "GET", "/api/v1/tasks", tasks },
  { "GET", "/api/v1/tasks/{id}", with_task(function(_, task)
    return answer.json(200, records.task(task))
  end) },
  { "GET", "/api/v1/tasks/{id}/onboard.md", with_task(function(_, task)
    return answer.text(200, task.onboard_md, "text/markdown; charset=utf-8")
  end) },
  { "GET", "/api/v1/tasks/{id}/best", with_task(best) },
  { "GET", "/api/v1/claims", function(context, call)
    local rows = filtered(context, "claim", { "task_id", "status" }, call.query)
    return answer.json(200, records.list(rows, records.claim))
  end },
  { "GET", "/api/v1/verifications", function(context, call)
    local rows = filtered(context, "job", { "submission_id", "status" }, call.query)
    return answer.json(200, records.list(rows, records.verification))
  end },
  { "GET", "/api/v1/work-items", empty_list },
  { "GET", "/api/v1/idea-rewards", empty_list },
  { "GET", "/api/v1/peer-evaluations", empty_list },
  { "GET", "/api/v1/reward-snapshot", snapshot },
  { "GET", "/api/v1/onchain/status", function()
    return answer.json(200, { configured = false })
  end },
  { "GET", "/api/v1/dashboard", dashboard },
}
