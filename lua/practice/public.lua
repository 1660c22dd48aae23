-- Routes that need no signature: what anyone may see.
local canonical = require "bittern.canonical"

local answer = require "bittern.practice.answer"
local database = require "bittern.practice.database"
local overview = require "bittern.practice.overview"
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

local function best(context, task)
  return answer.json(200, overview.best(context, task) or canonical.null)
end

local function dashboard(context)
  local response = answer.json(200, overview.dashboard(context))
  response.headers["Cache-Control"] = "no-store"
  return response
end

local function snapshot(context)
  local list = overview.competitions(context)
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
  { "GET", "/api/v1/tasks", function(context) return answer.json(200, overview.tasks(context)) end,
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
