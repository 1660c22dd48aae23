-- One call of a route: its path filled in, its answer made a record, a list, a text or nothing.
local canonical = require "bittern.canonical"
local channel = require "bittern.coordinator.channel"
local check = require "bittern.check"
local json = require "bittern.json"
local records = require "bittern.coordinator.records"
local routes = require "bittern.coordinator.routes"

local M = {}

local function segment(id)
  return (tostring(id):gsub("[^%w_.~-]", function(c) return ("%%%02X"):format(c:byte()) end))
end

--- The path of a route.
-- @param name a key of bittern.coordinator.routes
-- @param thing what it is about: a record with an id, or an id; nil where the path has no place
function M.path(name, thing)
  local id = type(thing) == "table" and thing.id or thing
  return (routes[name][2]:gsub("{[%w_]+}", function() return segment(assert(id, name)) end))
end

-- The query of a filter, in the order that the route has; a key that it does not know is a slip.
local function query_of(route, filter)
  local query, known = {}, {}
  for i, key in ipairs(route.query or {}) do
    query[i] = { key, filter[key] }
    known[key] = true
  end
  for key in pairs(filter) do
    if not known[key] then
      error(("%s has no filter '%s'"):format(route[2], tostring(key)), 5)
    end
  end
  return query
end

--- A GET.
-- @param thing see M.path
-- @param filter {key = value}, as the route's query has it, or nil
-- @return decoded value (a text where the route says so), or nil, message, code, response
function M.get(self, name, thing, filter)
  local route = routes[name]
  return channel.get(self, {
    path = M.path(name, thing), query = query_of(route, filter or {}), signed = route.signed,
    text = route.text, redirects = route.redirects,
  })
end

local function not_an_array(path, value)
  return ("%s answered %s, not an array"):format(path,
    type(value) == "table" and "an object" or "a " .. type(value))
end

--- The array that a route answers; null and nothing are an empty one.
function M.array(self, name, thing, filter)
  local value, message, code = M.get(self, name, thing, filter)
  if value == nil then return nil, message, code end
  if value == json.null then return json.array {} end
  if type(value) == "table" and (#value > 0 or next(value) == nil) then return value end
  return nil, not_an_array(M.path(name, thing), value), "invalid_response"
end

--- The records that a route lists; what is no object is left out, by name.
function M.list(self, name, thing, filter)
  local value, message, code = M.array(self, name, thing, filter)
  if not value then return nil, message, code end
  local list = json.array {}
  for i, raw in ipairs(value) do
    local record = records.shape(routes[name].answer, raw, self.warn)
    if record then
      list[#list + 1] = record
    else
      local text = "%s: record %d is a %s, not an object; left out"
      self.warn(text:format(M.path(name, thing), i, type(raw)))
    end
  end
  return list
end

-- One record; null and nothing are an empty one.
local function record_of(self, name, thing, value)
  if value == json.null then return {} end
  local record = records.shape(routes[name].answer, value, self.warn)
  if record then return record end
  return nil, M.path(name, thing) .. " answered no object", "invalid_response"
end

--- The record that a route answers; empty when the answer is null or nothing.
function M.one(self, name, thing)
  local value, message, code = M.get(self, name, thing)
  if value == nil then return nil, message, code end
  return record_of(self, name, thing, value)
end

--- A signed POST and the record that it answers, which may be empty.
-- @param fields table, or nil for no body
function M.post(self, name, thing, fields)
  local body, message, code
  if fields then
    -- What is signed is what is sent, so that both ways of hashing agree.
    body, message, code = canonical.encode(fields)
    if not body then return nil, message, code end
  end
  local value
  value, message, code = channel.post(self, { path = M.path(name, thing), body = body })
  if value == nil then return nil, message, code end
  return record_of(self, name, thing, value)
end

--- As post, for what makes a record: without its id nobody knows what happened.
function M.make(self, name, thing, fields)
  local made, message, code = M.post(self, name, thing, fields)
  if made and made.id then return made end
  if not made and code ~= "invalid_response" then return nil, message, code end
  return nil, "the coordinator said yes but named no id", "unknown_outcome"
end

--- Copies methods into a class; two of one name are a mistake.
function M.extend(class, methods)
  for _, name in ipairs(check.sorted_keys(methods)) do
    assert(class[name] == nil, name)
    class[name] = methods[name]
  end
end

return M
