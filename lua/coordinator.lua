-- The coordinator's client (contract.md Part 1): one function a route, signed where it must be,
-- and tolerant of what servers really answer. Every call returns its value, or nil, message, code.
local canonical = require "bittern.canonical"
local channel = require "bittern.coordinator.channel"
local json = require "bittern.json"
local task_record = require "bittern.task"

local M = {}

--- Where production is.
M.PRODUCTION = "https://autoresearch.bitsota.com"

local get <const>, post <const> = channel.get, channel.post

local Client = { __name = "coordinator" }
Client.__index = Client

--- A client.
-- @param options {url=, key= to sign with, offline= refuse the network, now= clock in seconds,
--   warn= function(text), transport= what bittern.http is, retry= bittern.retry's options for GETs
--   (quick by default), timeout=30 s}
-- @return client, or nil, message, "config"
-- @usage examples/coordinator.lua
function M.new(options)
  local self, message, code = channel.open(options)
  if not self then return nil, message, code end
  self.address = self.key and self.key:address()
  return setmetatable(self, Client)
end

local function segment(id)
  return (tostring(id):gsub("[^%w_.~-]", function(c) return ("%%%02X"):format(c:byte()) end))
end

-- A task or its id, as it goes into a path.
local function id_of(thing)
  return segment(type(thing) == "table" and thing.id or thing)
end

local function is_list(value)
  return type(value) == "table" and (#value > 0 or next(value) == nil)
end

local function not_an_array(path, value)
  return ("%s answered %s, not an array"):format(path,
    type(value) == "table" and "an object" or "a " .. type(value))
end

-- An array of records; what is no object is left out, by name.
local function records(self, request)
  local value, message, code = get(self, request)
  if value == nil then return nil, message, code end
  if value == json.null then return {} end
  if not is_list(value) then
    return nil, not_an_array(request.path, value), "invalid_response"
  end
  local list = {}
  for i, record in ipairs(value) do
    if type(record) == "table" then
      list[#list + 1] = task_record.plain(record)
    else
      local text = "%s: record %d is a %s, not an object; left out"
      self.warn(text:format(request.path, i, type(record)))
    end
  end
  return list
end

-- One record; null and nothing are an empty one.
local function record_of(value, path)
  if value == json.null then return {} end
  if type(value) ~= "table" or #value > 0 then
    return nil, path .. " answered no object", "invalid_response"
  end
  return task_record.plain(value)
end

local function record(self, request)
  local value, message, code = get(self, request)
  if value == nil then return nil, message, code end
  return record_of(value, request.path)
end

-- The record that a POST made; without its id nobody knows what happened.
local function created(self, request)
  local value, message, code = post(self, request)
  if value == nil then return nil, message, code end
  local made = record_of(value, request.path)
  if made and made.id then return made end
  return nil, "the coordinator said yes but named no id", "unknown_outcome"
end

-- A task that cannot be used costs itself and no other.
local function name_of(raw, i)
  local name = type(raw) == "table" and (raw.slug or raw.id)
  return name and ("task %d (%s)"):format(i, tostring(name)) or ("task %d"):format(i)
end

--- Every task the coordinator lists, live or not. A broken record is left out with a warning.
-- @return array of tasks (bittern.task), or nil, message, code
function Client:tasks()
  local request = { path = "/api/v1/tasks" }
  local value, message, code = get(self, request)
  if value == nil then return nil, message, code end
  if value == json.null then return {} end
  if not is_list(value) then
    return nil, not_an_array(request.path, value), "invalid_response"
  end
  local list = {}
  for i, raw in ipairs(value) do
    local task, wrong = task_record.normalize(raw)
    if task then list[#list + 1] = task
    else self.warn(("the coordinator's %s %s; left out"):format(name_of(raw, i), wrong)) end
  end
  return list
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
  return "/api/v1/tasks/" .. id_of(task) .. "/onboard.md"
end

--- A task's onboarding text.
-- @return markdown, or nil, message, code
function Client:onboard(task)
  local request = { path = onboarding_path(task), text = true }
  local text, message, code = get(self, request)
  if not text then return nil, message, code end
  if text:find("^%s*<!?[dDhH][oOtT]") then
    return nil, request.path .. " answered HTML, not markdown", "invalid_response"
  end
  return text
end

--- The best submission of a task as the server describes it; empty while there is none.
function Client:best(task)
  local request = { path = "/api/v1/tasks/" .. id_of(task) .. "/best" }
  local value, message, code = record(self, request)
  if code == "not_found" then return {} end
  return value, message, code
end

-- Canonical bytes are what is signed and what is sent, so that both ways of hashing agree.
local function post_record(self, path, fields)
  local body, message, code = canonical.encode(fields)
  if not body then return nil, message, code end
  return created(self, { path = path, body = body })
end

--- Claims a task.
-- @param base_submission_id of the submission that is built on, or nil
-- @return claim with id, or nil, message, code ("unknown_outcome": look with claims first)
function Client:claim(task, description, base_submission_id)
  local fields = { claim_description = description, base_submission_id = base_submission_id }
  return post_record(self, "/api/v1/tasks/" .. id_of(task) .. "/claim", fields)
end

--- Claims of a task and status, both optional.
function Client:claims(filter)
  return records(self, { path = "/api/v1/claims",
    query = { { "task_id", filter.task_id }, { "status", filter.status } } })
end

--- Cancels a claim of ours; the answer may be empty.
function Client:cancel(claim_id)
  local path = "/api/v1/claims/" .. segment(claim_id) .. "/cancel"
  local request = { path = path }
  local value, message, code = post(self, request)
  if value == nil then return nil, message, code end
  return record_of(value, path)
end

--- Sends a submission: its body, as the gate passed it.
-- @return submission with id, or nil, message, code ("unknown_outcome": look with submissions)
function Client:submit(body)
  return post_record(self, "/api/v1/submissions", body)
end

--- Submissions of a task and status; production wants this signed.
function Client:submissions(filter)
  return records(self, { path = "/api/v1/submissions", signed = true,
    query = { { "task_id", filter.task_id }, { "status", filter.status } } })
end

--- One submission.
function Client:submission(id)
  return record(self, { path = "/api/v1/submissions/" .. segment(id),
    signed = true })
end

--- One submission with its verifications.
function Client:detail(id)
  return record(self, { signed = true,
    path = "/api/v1/submissions/" .. segment(id) .. "/detail" })
end

--- What validators found.
function Client:verifications(submission_id)
  return records(self, { path = "/api/v1/verifications",
    query = { { "submission_id", submission_id } } })
end

return M
