-- Task records: defaults filled, ids as text, which task a word means.
local check = require "bittern.check"
local json = require "bittern.json"

local M = {}

-- What the contract says a missing field means (contract.md 1.4.1).
local defaults = {
  competition_mode = "standard",
  max_patch_bytes = 262144,
  metric_direction = "minimize",
  ranking_mode = "scalar",
}

local function text_of_id(value)
  if type(value) == "string" and value:find("%S") then return value end
  return math.type(value) == "integer" and ("%d"):format(value) or nil
end

--- A record's fields with nulls dropped and every id as text: servers send numbers, too.
-- @param record table
-- @return a new table
function M.plain(record)
  local copy = {}
  for key, value in pairs(record) do
    local is_id = type(key) == "string" and (key == "id" or key:sub(-3) == "_id")
    if value ~= json.null then copy[key] = is_id and text_of_id(value) or value end
  end
  return copy
end

local function trim(text)
  return text:match("^%s*(.-)%s*$")
end

local function list_of_text(value)
  local list = {}
  for _, item in ipairs(type(value) == "table" and value or {}) do
    local text = type(item) == "string" and trim(item) or ""
    if text ~= "" then list[#list + 1] = text end
  end
  return json.array(list)
end

-- Fields that have a default and did not come, or came with another type.
local function fill(task)
  local assumed = {}
  for _, name in ipairs(check.sorted_keys(defaults)) do
    local value = task[name]
    if type(value) ~= type(defaults[name]) or value == "" or value == 0 then
      task[name] = defaults[name]
      assumed[#assumed + 1] = name
    end
  end
  task.assumed = json.array(assumed)
end

--- A task as the coordinator sent it, made safe to use: unknown fields are kept, missing ones get
-- the contract's defaults, and `assumed` names those.
-- @param record decoded JSON
-- @return task, or nil, what is wrong, "invalid_response"
function M.normalize(record)
  if type(record) ~= "table" then
    return nil, "is a " .. type(record) .. ", not an object", "invalid_response"
  end
  local task = M.plain(record)
  if not text_of_id(task.id) then return nil, "has no id", "invalid_response" end
  if type(task.slug) ~= "string" or not task.slug:find("%S") then
    return nil, "has no slug", "invalid_response"
  end
  task.slug = trim(task.slug)
  task.repository = task.repository or task.repository_url
  task.allowed_patch_paths = list_of_text(task.allowed_patch_paths)
  if task.required_submission_fields ~= nil then
    task.required_submission_fields = list_of_text(task.required_submission_fields)
  end
  task.max_patch_bytes = math.tointeger(tonumber(task.max_patch_bytes))
  fill(task)
  return task
end

--- Whether a task can be mined: it says so itself, in both of its fields.
function M.is_live(task)
  return task.task_state == "live" and task.is_active == true
end

--- The state in a word for people: "live", or why not.
function M.state(task)
  local state = tostring(task.task_state or "unknown")
  if state == "live" and task.is_active ~= true then return "inactive" end
  return state
end

--- Whether the coordinator itself named a field, rather than a default of ours.
function M.said(task, name)
  if task[name] == nil then return false end
  for _, assumed in ipairs(task.assumed or {}) do
    if assumed == name then return false end
  end
  return true
end

local function fold(text)
  return trim(text):lower()
end

--- The task of an id, or of a slug (trimmed, case-insensitive).
-- @param tasks array of tasks
-- @param word string
-- @return task, or nil, message, "not_found" or "ambiguous"
function M.find(tasks, word)
  local found = {}
  for _, task in ipairs(tasks) do
    if task.id == trim(word) then return task end
    if fold(task.slug) == fold(word) then found[#found + 1] = task end
  end
  if #found == 1 then return found[1] end
  if #found == 0 then return nil, ("no task '%s'"):format(word), "not_found" end
  local ids = {}
  for i, task in ipairs(found) do ids[i] = task.id end
  return nil, ("%d tasks have the slug '%s'; name one by its id: %s"):format(#found, fold(word),
    table.concat(ids, ", ")), "ambiguous"
end

--- The tasks that can be mined.
function M.live(tasks)
  local live = {}
  for _, task in ipairs(tasks) do
    if M.is_live(task) then live[#live + 1] = task end
  end
  return live
end

-- "live now: a, b", for messages about what is not.
local function live_list(live)
  if #live == 0 then return "no task is live now" end
  local slugs = {}
  for i, task in ipairs(live) do slugs[i] = task.slug end
  table.sort(slugs)
  return "live now: " .. table.concat(slugs, ", ")
end

local function slugs_of(tasks)
  local slugs = {}
  for i, task in ipairs(tasks) do slugs[i] = task.slug end
  return slugs
end

--- The live task of an id or slug; what is not live is never replaced by something else.
-- @param tasks array of all tasks
-- @param word string
-- @return task, or nil, message that lists what is live, "not_live" or "ambiguous"
function M.find_live(tasks, word)
  local live = M.live(tasks)
  local task, message, code = M.find(live, word)
  if task or code == "ambiguous" then return task, message, code end
  local other = M.find(tasks, word)
  if other then
    local why = ("task '%s' is %s; %s"):format(other.slug, M.state(other), live_list(live))
    return nil, why, "not_live"
  end
  local near = check.nearest(word, slugs_of(live))
  local hint = near and ("; did you mean '%s'?"):format(near) or ";"
  return nil, ("no live task '%s'%s %s"):format(word, hint, live_list(live)), "not_live"
end

return M
