-- Pages for people with a browser, over the same records that the API gives: the dashboard, a task,
-- a submission. They ask for themselves again every few seconds (lua/page/live.js).
local canonical = require "bittern.canonical"
local h = require "bittern.page.html"
local overview_page = require "bittern.page.overview"
local parts = require "bittern.page.parts"

local answer = require "bittern.practice.answer"
local database = require "bittern.practice.database"
local overview = require "bittern.practice.overview"
local records = require "bittern.practice.records"
local submission_page = require "bittern.practice.submission_page"
local task_store = require "bittern.practice.task_store"

local EVERY <const> = 4
local RECENT <const>, OF_TASK <const> = 12, 100

local FOOT <const> = "A rehearsal on your own machine: no stake, no reward, no rank. What passes "
  .. "here can still fail there."

local function with_headers(response, cache)
  response.headers["Content-Security-Policy"] = parts.POLICY
  response.headers["X-Content-Type-Options"] = "nosniff"
  response.headers["Referrer-Policy"] = "no-referrer"
  response.headers["Cache-Control"] = cache
  return response
end

local function page(status, options)
  options.every, options.foot = status == 200 and EVERY, h.p { FOOT }
  return with_headers(answer.text(status, parts.page(options), "text/html; charset=utf-8"),
    "no-store")
end

local HOME <const> = { "/dashboard", "Practice coordinator" }

local function missing(what)
  return page(404, { title = what .. " not found", crumbs = { HOME }, body = {
    parts.section("nothing", "Nothing is here", h.p { "It may belong to another state folder. ",
      h.link("/dashboard", "Back to the dashboard") }) } })
end

local function task_address(id) return "/dashboard/tasks/" .. id end
local function submission_address(id) return "/dashboard/submissions/" .. id end

-- A metric of a submission: what was measured, else what was claimed.
local function metric_cell(record, metric)
  local measured = record.observed_metrics ~= canonical.null and record.observed_metrics[metric]
  if type(measured) == "number" then return parts.number(measured) end
  local claimed = type(record.claimed_metrics) == "table" and record.claimed_metrics[metric]
  return type(claimed) == "number" and h.span { class = "muted",
    parts.number(claimed), " claimed" } or ""
end

local function submission_table(rows, with_task)
  local cells = {}
  for i, row in ipairs(rows) do
    local record = assert(canonical.decode(row.record))
    cells[i] = { h.link(submission_address(row.id), row.id:sub(1, 8)),
      h.link(task_address(row.task_id), row.slug), parts.state(row.status),
      metric_cell(record, row.metric), parts.short(row.miner_hotkey), parts.time(row.created_at) }
    if not with_task then table.remove(cells[i], 2) end
  end
  local columns = { { "Submission" }, { "Task" }, { "State" }, { "Metric", right = true },
    { "Miner" }, { "Submitted, UTC" } }
  if not with_task then table.remove(columns, 2) end
  if #cells == 0 then return h.p { class = "muted", "nothing was submitted yet" } end
  return parts.table(columns, cells, "submissions, the newest first")
end

local submissions_sql <const> = [[SELECT s.*, task.slug,
  CAST(strftime('%s', s.created_at) AS INTEGER) AS at,
  json_extract(task.record, '$.metric_name') AS metric
  FROM submission AS s JOIN task ON task.id = s.task_id
  WHERE s.task_id = ifnull(?1, s.task_id) ORDER BY s.position DESC LIMIT ?2]]

local function submissions(context, task_id, limit)
  return database.rows(context.db, submissions_sql, task_id, limit)
end

local function all_best(context)
  local best = {}
  for _, row in ipairs(database.rows(context.db, "SELECT * FROM task")) do
    best[row.id] = overview.best(context, row)
  end
  return best
end

local function dashboard(context)
  local numbers = overview.dashboard(context)
  return page(200, { title = "Practice coordinator",
    lead = h.p { class = "lead", "Tasks to rehearse on, and what became of what was submitted." },
    body = {
      overview_page.tasks { tasks = numbers.tasks, best = all_best(context), task = task_address,
        submission = submission_address,
        onboard = function(task) return task.onboard_path end },
      overview_page.counts(numbers),
      parts.section("recent", "Latest submissions",
        submission_table(submissions(context, nil, RECENT), true)),
      overview_page.leaderboards(overview.competitions(context)),
    } })
end

-- What was measured over time, of those that were judged.
local function history(rows, task)
  local points = {}
  for i = #rows, 1, -1 do
    local record = assert(canonical.decode(rows[i].record))
    local metrics = record.observed_metrics ~= canonical.null and record.observed_metrics
      or record.claimed_metrics
    local value = type(metrics) == "table" and metrics[task.metric_name]
    if type(value) == "number" and value - value == 0 then
      points[#points + 1] = { at = rows[i].at, value = value,
        class = parts.tone(rows[i].status),
        tip = ("%s: %s %s"):format(rows[i].id:sub(1, 8), parts.number(value), rows[i].status) }
    end
  end
  if #points < 2 then return false end
  return parts.section("history", "Over time", parts.chart(require("bittern.chart.history").draw {
    title = task.metric_name .. " of what was submitted", y_title = task.metric_name,
    about = ("%d submissions; the line is the best accepted so far"):format(#points),
    maximize = task.metric_direction == "maximize", points = points }))
end

-- A path on this machine is no address that a page could lead to.
local function repository_of(task)
  local address = tostring(task.repository)
  return address:find "^/" and h.code { address } or h.link(address)
end

local function about_task(task, best)
  local hours = math.type(task.time_budget_seconds) and
    ("%.3g h"):format(task.time_budget_seconds / 3600)
  return parts.section("about", "The task", parts.facts {
    { "State", parts.state(task.task_state) }, { "Mode", task.competition_mode },
    { "Metric", ("%s, %s"):format(task.metric_name, task.metric_direction) },
    { "To beat", best and h.link(submission_address(best.submission_id),
      parts.number(best.metric_value)) or "nothing yet" },
    { "Time", hours or "" },
    { "Onboarding", h.link(task.onboard_path, "how to take part") },
    { "Repository", repository_of(task) }, { "Base", h.code { task.base_ref } },
    { "Benchmark", h.code { task.benchmark_command } },
    { "Patches may touch", h.code { table.concat(task.allowed_patch_paths, ", ") } },
  })
end

local function task(context, call)
  local row = task_store.row(context.db, call.id)
  if not row then return missing "Task" end
  local record, rows = records.task(row), submissions(context, row.id, OF_TASK)
  return page(200, { title = record.title or row.slug, crumbs = { HOME },
    lead = h.p { class = "lead", row.slug }, body = {
      about_task(record, overview.best(context, row)),
      parts.section("leaderboard", "Leaderboard",
        overview_page.leaderboard(overview.competition(context, row))),
      history(rows, record),
      parts.section("submissions", "Submissions", submission_table(rows, false)),
    } })
end

local function submission(context, call)
  local row = database.row(context.db, "SELECT * FROM submission WHERE id = ?", call.id)
  if not row then return missing "Submission" end
  local task_row = task_store.row(context.db, row.task_id)
  return page(200, { title = "Submission " .. row.id:sub(1, 8),
    crumbs = { HOME, { task_address(task_row.id), task_row.slug } },
    body = submission_page.body(context, row, task_row) })
end

local files <const> = {
  ["style.css"] = { parts.style, "text/css; charset=utf-8" },
  ["live.js"] = { parts.script, "text/javascript; charset=utf-8" },
}

local function static(_, call)
  local file = files[call.id]
  if not file then return answer.detail(404, "Not Found") end
  return with_headers(answer.text(200, file[1](), file[2]), "no-cache")
end

return {
  { "GET", "/", function() return answer.redirect(307, "/dashboard") end,
    about = "to the dashboard", answer = "redirect", status = 307 },
  { "GET", "/dashboard", dashboard, about = "the dashboard", answer = "html" },
  { "GET", "/dashboard/static/{name}", static, about = "what its pages are drawn with",
    answer = "file" },
  { "GET", "/dashboard/tasks/{task_id}", task, about = "a task and its last hundred submissions",
    answer = "html" },
  { "GET", "/dashboard/submissions/{submission_id}", submission, about = "a submission's life",
    answer = "html" },
}
