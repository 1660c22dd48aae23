-- The planner: what it would be good to see done, one work item for each thing at most.
local database = require "bittern.practice.database"

local M = {}

local function baseline(task)
  return {
    kind = "baseline", strategy_key = "establish-baseline", priority = 100,
    title = "Establish a baseline",
    instructions = ("Run one baseline replay of %s and submit it."):format(task.slug),
  }
end

local function improve(best)
  return {
    kind = "improve", strategy_key = "improve-" .. best.submission_id, priority = 50,
    title = "Beat the best", base_submission_id = best.submission_id,
    instructions = ("Build on submission %s and do better."):format(best.submission_id),
  }
end

local function explore()
  return {
    kind = "explore", strategy_key = "explore", title = "Try something else",
    instructions = "Submit what nobody has tried yet; say in the summary what is new.",
  }
end

local function wishes(db, task)
  local best = database.row(db, "SELECT * FROM best WHERE task_id = ?", task.id)
  return { best and improve(best) or baseline(task), explore() }
end

-- The new item's row, or nil when there is one of its kind already.
local function add(db, task, wish, now)
  return database.put(db, "work_item", [[INSERT INTO work_item
    (id, task_id, kind, strategy_key, title, instructions, priority, status, base_submission_id,
     created_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, 'open', ?, ?) ON CONFLICT DO NOTHING RETURNING *]],
    database.uuid(), task.id, wish.kind, wish.strategy_key, wish.title, wish.instructions,
    wish.priority, wish.base_submission_id, database.stamp(now))
end

--- Plans work for every live task. Planning again adds only what is new.
-- @param now seconds
-- @return array of the rows that were added
function M.plan(db, now)
  local added = {}
  for _, task in ipairs(database.rows(db,
    "SELECT * FROM task WHERE task_state = 'live' ORDER BY position")) do
    for _, wish in ipairs(wishes(db, task)) do added[#added + 1] = add(db, task, wish, now) end
  end
  return added
end

return M
