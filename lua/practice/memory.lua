-- Submission records that mode rules look at, read once and kept: a rule sees every submission of
-- its task, and ten thousand are not read anew for each that comes.
local canonical = require "bittern.canonical"

local database = require "bittern.practice.database"

local M = {}

local function put(known, record)
  local place = known.places[record.id]
  if not place then
    place = #known.list + 1
    known.places[record.id] = place
  end
  known.list[place] = record
end

local function load_task(context, task_id)
  local known = { list = {}, places = {} }
  for _, row in ipairs(database.rows(context.db,
    "SELECT record FROM submission WHERE task_id = ? ORDER BY position", task_id)) do
    put(known, assert(canonical.decode(row.record)))
  end
  return known
end

--- Every submission of a task, in the order in which they came.
-- @return array of records; look, do not touch
function M.submissions(context, task_id)
  local known = context.memory[task_id]
  if not known then
    known = load_task(context, task_id)
    context.memory[task_id] = known
  end
  return known.list
end

--- Tells of a submission that is new or changed, once that is committed.
-- @param row of the database
function M.changed(context, row)
  local known = context.memory[row.task_id]
  if known then put(known, assert(canonical.decode(row.record))) end
end

return M
