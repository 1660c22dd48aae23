-- Calls about tasks; methods of bittern.coordinator's client.
local ask = require "bittern.coordinator.ask"
local channel = require "bittern.coordinator.channel"
local records = require "bittern.coordinator.records"
local task_record = require "bittern.task"

local Client = {}

-- A task that cannot be used costs itself and no other.
local function name_of(raw, i)
  local name = type(raw) == "table" and (raw.slug or raw.id)
  return name and ("task %d (%s)"):format(i, tostring(name)) or ("task %d"):format(i)
end

local function read(self, raw)
  local task, wrong, code = task_record.normalize(raw)
  if not task then return nil, wrong, code end
  return records.shape("task", task, self.warn)
end

--- Every task the coordinator lists, live or not. A broken record is left out with a warning.
-- @return array of tasks (bittern.task), or nil, message, code
function Client:tasks()
  local value, message, code = ask.array(self, "tasks")
  if not value then return nil, message, code end
  local list = {}
  for i, raw in ipairs(value) do
    local task, wrong = read(self, raw)
    if task then list[#list + 1] = task
    else self.warn(("the coordinator's %s %s; left out"):format(name_of(raw, i), wrong)) end
  end
  return list
end

--- One task, live or not.
-- @param id of the task
function Client:task(id)
  local value, message, code = ask.get(self, "task", id)
  if value == nil then return nil, message, code end
  local task, wrong, kind = read(self, value)
  if task then return task end
  return nil, ("%s %s"):format(ask.path("task", id), wrong), kind
end

--- The live task of a slug or id.
-- @return task, or nil, message that lists what is live, "not_live" or "ambiguous"
function Client:find(slug)
  local tasks, message, code = self:tasks()
  if not tasks then return nil, message, code end
  return task_record.find_live(tasks, slug)
end

-- The server's own path where it names a plausible one, else the documented route.
local function onboarding_path(task)
  local path = type(task) == "table" and task.onboard_path
  local plausible = type(path) == "string" and path:find("^/[%w/_.~-]+$")
  if plausible and not path:find("//", 1, true) then return path end
  return ask.path("onboard", task)
end

--- A task's onboarding text.
-- @return markdown, or nil, message, code
function Client:onboard(task)
  local request = { path = onboarding_path(task), text = true }
  local text, message, code = channel.get(self, request)
  if not text then return nil, message, code end
  if text:find("^%s*<!?[dDhH][oOtT]") then
    return nil, request.path .. " answered HTML, not markdown", "invalid_response"
  end
  return text
end

-- What servers may call the fields of a best record, which no document names.
local function name_fields(best)
  local submission = best.submission or {}
  best.submission_id = best.submission_id or submission.id or best.id
  best.miner_hotkey = best.miner_hotkey or submission.miner_hotkey
  best.observed_metrics = best.observed_metrics or submission.observed_metrics
  return best
end

--- The best submission of a task as the server describes it; empty while there is none.
function Client:best(task)
  local best, message, code = ask.one(self, "best", task)
  if code == "not_found" then return {} end
  if not best then return nil, message, code end
  return name_fields(best)
end

return Client
