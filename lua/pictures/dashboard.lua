-- A coordinator at a glance, for `bittern dashboard`: what is asked, and how it reads as a page and
-- in a terminal.
local inspect = require "bittern.inspect.text"
local json = require "bittern.json"
local overview = require "bittern.page.overview"
local parts = require "bittern.page.parts"
local report = require "bittern.report"
local task_record = require "bittern.task"
local text = require "bittern.chart.text"
local version = require "bittern.version"

local h = require "bittern.page.html"

local M = {}

local BAR <const>, WIDTH <const>, LABEL <const> = 24, 80, 44

-- What a coordinator does not tell, or not to us, is left out and said.
local function optional(missing, what, value, message, code)
  if value ~= nil then return value end
  if code == "interrupted" then return nil, message, code end
  missing[#missing + 1] = ("%s: %s"):format(what, message)
  return {}
end

local function add_best(client, view)
  for _, task in ipairs(view.tasks) do
    local best, message, code = client:best(task)
    if code == "interrupted" or code == "offline" then return nil, message, code end
    if best and next(best) then view.best[task.id] = best end
  end
  return true
end

-- What is there beside the tasks.
local function add_numbers(client, view)
  local numbers, message, code =
    optional(view.missing, "dashboard", client:dashboard())
  if not numbers then return nil, message, code end
  local snapshot
  snapshot, message, code = optional(view.missing, "reward snapshot", client:reward_snapshot())
  if not snapshot then return nil, message, code end
  view.numbers, view.competitions = numbers, json.array(snapshot.competitions or {})
  local disclaimer = client:disclaimer()
  if disclaimer and disclaimer.must_display then view.disclaimer = disclaimer.summary end
  return add_best(client, view)
end

--- Asks a coordinator for all that is shown.
-- @param client of bittern.coordinator
-- @param options {all = tasks that are not live, too; offline = ask for nothing but the tasks}
-- @return {coordinator, tasks, numbers, competitions, best = {[task id] = record}, missing = what
--   could not be had, in words}, or nil, message, code
function M.gather(client, options)
  local all, message, code = client:tasks()
  if not all then return nil, message, code end
  local view = { coordinator = client.base, tasks = {}, best = {}, numbers = {},
    missing = json.array {}, competitions = json.array {} }
  for _, task in ipairs(all) do
    if options.all or task_record.is_live(task) then view.tasks[#view.tasks + 1] = task end
  end
  if options.offline then return view end
  local ok, why, id = add_numbers(client, view)
  if not ok then return nil, why, id end
  return view
end

local function section(out, title, lines)
  if #lines == 0 then return end
  if #out > 0 then out[#out + 1] = "" end
  out[#out + 1], out[#out + 2] = title, ""
  table.move(lines, 1, #lines, #out + 1, out)
end

local function task_lines(view)
  local rows = {}
  for i, task in ipairs(view.tasks) do
    local value = overview.to_beat(view.best[task.id], task)
    rows[i] = { report.clean(task.slug), report.clean(task.competition_mode or ""),
      report.clean(task_record.state(task)), report.clean(task.metric_name or ""),
      value and parts.number(value) or "" }
  end
  if #rows == 0 then return {} end
  inspect.fit(rows, { "SLUG", "MODE", "STATE", "METRIC", "BEST" }, WIDTH)
  return report.table({ { "SLUG" }, { "MODE" }, { "STATE" }, { "METRIC" },
    { "BEST", right = true } }, rows)
end

local function pipeline_lines(view)
  local rows = {}
  for _, one in ipairs(overview.pipeline(view.numbers)) do
    for _, entry in ipairs(one.counts) do
      local name = ("%s %s"):format(one.name, entry.state):gsub("_", " ")
      rows[#rows + 1] = { inspect.cut(report.clean(name), LABEL), entry.count,
        parts.number(entry.count) }
    end
  end
  return text.bars(rows, BAR)
end

local function leader_lines(competition, top)
  local rows = {}
  local miners = type(competition.miners) == "table" and competition.miners or {}
  for i = 1, math.min(top, #miners) do
    rows[i] = { tostring(i), report.clean(miners[i].hotkey or "?"),
      ("%.4g"):format(tonumber(miners[i].score) or 0) }
  end
  if #rows == 0 then return {} end
  return report.table({ { "#", right = true }, { "MINER" }, { "SCORE", right = true } }, rows)
end

--- The coordinator in a terminal.
-- @param view of M.gather
-- @param top how many of each leaderboard
-- @return array of lines
function M.lines(view, top)
  local out = {}
  section(out, "Tasks", task_lines(view))
  section(out, "Pipeline", pipeline_lines(view))
  for _, competition in ipairs(view.competitions) do
    section(out, "Leaders of " .. report.clean(competition.slug or "?"),
      leader_lines(competition, top))
  end
  return out
end

-- Ids are a server's words: only what can stand in an address becomes one.
local function address(base, folder)
  return function(id)
    return tostring(id):find "^[%w_-]+$" and base .. folder .. id or ""
  end
end

local function onboard(base)
  return function(task)
    local path = task.onboard_path or ("/api/v1/tasks/%s/onboard.md"):format(task.id)
    return path:find "^/" and base .. path or path
  end
end

--- The coordinator as one HTML file that needs nothing else.
-- @param view of M.gather
-- @param now seconds since 1970
-- @return string
function M.page(view, now)
  view.task = address(view.coordinator, "/dashboard/tasks/")
  view.submission = address(view.coordinator, "/dashboard/submissions/")
  view.onboard = onboard(view.coordinator)
  return parts.page { title = "The coordinator", style = parts.style(),
    lead = h.p { class = "lead", h.link(view.coordinator), ", as of ",
      parts.time(os.date("!%Y-%m-%dT%H:%M:%S", now // 1)), " UTC" },
    body = { overview.tasks(view), overview.counts(view.numbers),
      overview.leaderboards(view.competitions) },
    foot = { view.disclaimer and h.p { view.disclaimer },
      h.p { "Written by bittern dashboard, version ", version, "." } } }
end

return M
