-- The list of tasks that a coordinator gave last, kept in the cache: for --offline, and for
-- completion, which may not wait for a network.
local fs = require "core.fs"
local sha256 = require "core.sha256"

local json = require "bittern.json"
local paths = require "bittern.paths"
local task_record = require "bittern.task"

local M = {}

local LARGEST <const> = 16 << 20

local function path_of(coordinator, env)
  return ("%s/tasks/%s.json"):format(paths.cache(env), sha256.hex(coordinator):sub(1, 16))
end

-- As the coordinator sent it: what was assumed is assumed again when it is read.
local function record_of(task)
  local record = {}
  for key, value in pairs(task) do record[key] = value end
  for _, name in ipairs(task.assumed or {}) do record[name] = nil end
  record.assumed = nil
  return record
end

--- Keeps a list.
-- @param coordinator its address
-- @param tasks array of bittern.task's
-- @param now seconds
-- @return true, or nil, message, code
function M.write(coordinator, tasks, now, env)
  local records = {}
  for i, task in ipairs(tasks) do records[i] = record_of(task) end
  local text = json.encode {
    coordinator = coordinator, seen = math.floor(now), tasks = json.array(records),
  }
  if not text then return nil, "the list of tasks is no JSON", "invalid_json" end
  local made, message, code = fs.mkdir(paths.cache(env) .. "/tasks")
  if not made then return nil, message, code end
  return fs.write(path_of(coordinator, env), text)
end

--- The list that was kept.
-- @param coordinator its address
-- @return array of tasks, when it was fetched; or nil when there is none that can be read
function M.read(coordinator, env)
  local text = fs.read(path_of(coordinator, env), LARGEST)
  local kept = text and json.decode(text)
  if type(kept) ~= "table" or kept.coordinator ~= coordinator then return nil end
  local list = {}
  for _, record in ipairs(type(kept.tasks) == "table" and kept.tasks or {}) do
    list[#list + 1] = task_record.normalize(record) or nil
  end
  return list, tonumber(kept.seen) or 0
end

return M
