-- A coordinator at a glance: its tasks, its pipeline in numbers, who leads. The practice
-- coordinator serves it, `bittern dashboard` shows it of the real one.
local check = require "bittern.check"
local task_record = require "bittern.task"

local h = require "bittern.page.html"
local parts = require "bittern.page.parts"

local M = {}

--- The number to beat.
-- @param best record of the coordinator, or nil
-- @param task its task's record
-- @return number, or nil where there is none
function M.to_beat(best, task)
  if not best then return nil end
  local observed = type(best.observed_metrics) == "table" and best.observed_metrics or {}
  local value = best.metric_value or observed[task.metric_name]
  return type(value) == "number" and value or nil
end

local function best_of(view, task)
  local best = view.best[task.id]
  local value = M.to_beat(best, task)
  if not value then return h.span { class = "muted", "none" } end
  local number = parts.number(value)
  local address = best.submission_id and view.submission(best.submission_id)
  return address and h.link(address, number) or number
end

local function metric_of(task)
  return ("%s, %s"):format(task.metric_name or "?", task.metric_direction or "?")
end

--- Tasks, each with its page, its onboarding and the number to beat.
-- @param view {tasks = records, best = {[task id] = best record}, task = function(id) -> address,
--   submission = the same, onboard = function(task record) -> address}
function M.tasks(view)
  local rows = {}
  for i, task in ipairs(view.tasks) do
    rows[i] = {
      h.span { h.link(view.task(task.id), tostring(task.slug)), h.br {},
        h.span { class = "muted", task.title or "" } },
      tostring(task.competition_mode or ""), metric_of(task),
      parts.state(task_record.state(task)), best_of(view, task),
      h.link(view.onboard(task), "how to take part"),
    }
  end
  if #rows == 0 then return parts.section("tasks", "Tasks", h.p { class = "muted", "none" }) end
  return parts.section("tasks", "Tasks", parts.table({ { "Task" }, { "Mode" }, { "Metric" },
    { "State" }, { "Best", right = true }, { "Onboarding" } }, rows, "tasks of this coordinator"))
end

-- The order of a submission's way; what a coordinator counts beside these comes behind.
local FIRST <const> = { "claims", "submissions", "verifications", "peer_evaluations", "work_items" }
local NOT_SHOWN <const> = { task_counts = true, tasks = true }

local function is_counts(value)
  if type(value) ~= "table" or next(value) == nil then return false end
  for name, count in pairs(value) do
    if type(name) ~= "string" or type(count) ~= "number" then return false end
  end
  return true
end

--- The counts within a dashboard record, whatever a coordinator calls them.
-- @return array of {name, total, counts = array of {state, count}}, those of a submission's way
--   first
function M.pipeline(dashboard)
  local names, seen, list = {}, {}, {}
  for _, name in ipairs(FIRST) do names[#names + 1], seen[name] = name, true end
  for _, name in ipairs(check.sorted_keys(dashboard)) do
    if not seen[name] and not NOT_SHOWN[name] then names[#names + 1] = name end
  end
  for _, name in ipairs(names) do
    if is_counts(dashboard[name]) then
      local one = { name = name, total = 0, counts = {} }
      for _, state in ipairs(check.sorted_keys(dashboard[name])) do
        local count = dashboard[name][state]
        one.total = one.total + count
        one.counts[#one.counts + 1] = { state = state, count = count }
      end
      list[#list + 1] = one
    end
  end
  return list
end

local function card(one)
  local pieces, lines = {}, {}
  for i, entry in ipairs(one.counts) do
    pieces[i] = { one.total > 0 and entry.count / one.total or 0, parts.tone(entry.state) }
    lines[i] = h.li { h.span { class = "state " .. parts.tone(entry.state),
      ("%s %s"):format(parts.number(entry.count), (entry.state:gsub("_", " "))) } }
  end
  return h.li { (one.name:gsub("_", " ")), h.b { parts.number(one.total) }, parts.strip(pieces),
    h.ul { lines } }
end

--- The counts as cards.
-- @param dashboard record
function M.counts(dashboard)
  local cards = {}
  for i, one in ipairs(M.pipeline(dashboard)) do cards[i] = card(one) end
  return parts.section("pipeline", "Pipeline", #cards > 0 and h.ul { class = "cards", cards }
    or h.p { class = "muted", "nothing was claimed or submitted yet" })
end

--- Who leads one competition.
-- @param competition of the reward snapshot
function M.leaderboard(competition)
  local rows, most = {}, 0
  local miners = type(competition.miners) == "table" and competition.miners or {}
  for _, miner in ipairs(miners) do most = math.max(most, tonumber(miner.score) or 0) end
  for i, miner in ipairs(miners) do
    local score = tonumber(miner.score) or 0
    rows[i] = { tostring(i), parts.short(miner.hotkey or "?", 24),
      h.span { ("%.3g"):format(score), " ",
        parts.strip { { most > 0 and math.max(0, score) / most or 0, "s1" } } } }
  end
  if #rows == 0 then return h.p { class = "muted", "nobody has scored yet" } end
  return parts.table({ { "#", right = true }, { "Miner" }, { "Score", right = true } }, rows,
    "who leads " .. tostring(competition.slug))
end

--- Who leads, of every competition.
-- @param competitions array of the reward snapshot
function M.leaderboards(competitions)
  local body = {}
  for _, one in ipairs(competitions) do
    body[#body + 1] = h.h3 { tostring(one.slug) }
    body[#body + 1] = M.leaderboard(one)
  end
  if #body == 0 then body[1] = h.p { class = "muted", "no competition is scored" } end
  return parts.section("leaderboards", "Leaderboards", body)
end

return M
