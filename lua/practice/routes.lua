-- From a request to its handler: paths, methods, signatures, bodies. A pure function of a request
-- and the database; bittern.practice.server puts HTTP around it.
local sha256 = require "core.sha256"

local canonical = require "bittern.canonical"

local answer = require "bittern.practice.answer"
local body = require "bittern.practice.body"
local guard = require "bittern.practice.guard"

local M = {}

local groups = { "public", "admin", "mining", "planning", "peers", "validating", "pages",
  "files", "openapi" }

local function unescape(text)
  return (text:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end))
end

-- "/tasks/{id}/claim" as a pattern that captures one path segment.
local function compile(path)
  return "^" .. path:gsub("[%-%.]", "%%%0"):gsub("{[%w_]+}", "([^/]+)") .. "$"
end

--- Every route. What is written there is what is enforced and what openapi.json says:
-- {method, path, handler(context, call) -> response, about = one line,
--   auth = nil|"hotkey"|"miner"|"validator"|"admin", query = array of names,
--   body = fields of bittern.practice.body (optional_body = there need be none),
--   answer = a kind of bittern.coordinator.records, or "text"|"html"|"file"|"object",
--   list = an array of them, status = of success (200), raw = the body is a file}
-- @return array of routes, `pattern` added
function M.all()
  local routes = {}
  for _, name in ipairs(groups) do
    for _, route in ipairs(require("bittern.practice." .. name)) do
      local all = { method = route[1], path = route[2], handler = route[3] }
      for key, value in pairs(route) do
        if type(key) == "string" then all[key] = value end
      end
      all.pattern = compile(all.path)
      routes[#routes + 1] = all
    end
  end
  return routes
end

-- The route of a request and what its path captured, or the methods that the path has.
local function find(routes, method, path)
  local methods = {}
  for _, route in ipairs(routes) do
    local captures = { path:match(route.pattern) }
    if captures[1] then
      if route.method == method then return route, captures end
      methods[#methods + 1] = route.method
    end
  end
  return nil, methods
end

local function not_allowed(methods)
  table.sort(methods)
  local response = answer.detail(405, "Method Not Allowed")
  response.headers.Allow = table.concat(methods, ", ")
  return response
end

-- Form-encoded parameters; of one that comes twice the last counts.
local function query_of(text)
  local query = {}
  for key, value in text:gmatch("([^&=]+)=?([^&]*)") do
    query[unescape((key:gsub("+", " ")))] = unescape((value:gsub("+", " ")))
  end
  return query
end

-- The hash of a file's bytes, which lie on disk when they are many; nil for JSON, whose canonical
-- form is hashed.
local function hash_of(request, raw)
  if not raw then return nil end
  if request.body_path then return assert(sha256.file(request.body_path)) end
  return sha256.hex(request.body or "")
end

-- The decoded body, or nil for none; `problem` is the answer to a body that is not JSON.
local function decode(request, route)
  if route.raw then return nil end
  if request.body_path then return nil, answer.detail(413, "Request body too large") end
  if request.body == nil or request.body == "" then return nil end
  local value, message = canonical.decode(request.body)
  if value == nil then return nil, answer.invalid(body.not_json(message)) end
  return value
end

-- The body's fields, or nil and the answer that says what is wrong with them.
local function fields_of(value, route)
  if not route.body or value == nil and route.optional_body then return {} end
  local fields, wrong = body.check(value, route.body)
  if fields then return fields end
  return nil, answer.invalid(wrong)
end

local function call(context, route, captures, request)
  local value, problem = decode(request, route)
  if problem then return problem end
  local sum = hash_of(request, route.raw)
  local hotkey, refusal = context.guard(route, request, sum)
  if refusal then return refusal end
  local fields, wrong = fields_of(value, route)
  if not fields then return wrong end
  for i, capture in ipairs(captures) do captures[i] = unescape(capture) end
  return route.handler(context, {
    id = captures[1], query = query_of(request.query or ""), body = fields, hotkey = hotkey,
    request = request, sha256 = sum,
  })
end

--- The coordinator as a function.
-- @param context {db= core.store, dir= folder of its state, now= function() -> seconds,
--   stake_gate= boolean, admin_token= text or nil}
-- @return function(request) -> response, in the shapes of core.httpd
function M.new(context)
  local routes = M.all()
  context.routes, context.memory, context.guard = routes, {}, guard.new(context)
  return function(request)
    local route, found = find(routes, request.method, request.path)
    if route then return call(context, route, found, request) end
    if #found > 0 then return not_allowed(found) end
    return answer.detail(404, "Not Found")
  end
end

return M
