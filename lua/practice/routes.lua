-- From a request to its handler: paths, methods, signatures, bodies. A pure function of a request
-- and the database; bittern.practice.server puts HTTP around it.
local sha256 = require "core.sha256"

local auth = require "bittern.auth"
local canonical = require "bittern.canonical"

local answer = require "bittern.practice.answer"
local body = require "bittern.practice.body"
local database = require "bittern.practice.database"

local M = {}

local WINDOW <const> = 300

local function unescape(text)
  return (text:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end))
end

-- "/tasks/{id}/claim" as a pattern that captures one path segment.
local function compile(path)
  return "^" .. path:gsub("[%-%.]", "%%%0"):gsub("{%w+}", "([^/]+)") .. "$"
end

-- {method, path, handler, auth = nil|"hotkey"|"miner"|"validator", raw = the body is a file}
local function all_routes()
  local routes = {}
  for _, name in ipairs { "public", "mining", "validating", "files" } do
    for _, route in ipairs(require("bittern.practice." .. name)) do
      routes[#routes + 1] = {
        method = route[1], pattern = compile(route[2]), handler = route[3], auth = route.auth,
        raw = route.raw,
      }
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

-- The hotkey that signed, or nil and why not.
local function signer(context, request, raw, sum)
  return auth.verify {
    method = request.method, path = request.path, query = request.query, headers = request.headers,
    body = request.body, raw = raw, body_sha256 = sum, now = context.now(), window = WINDOW,
  }
end

-- Miners need no stake here (the fault no-stake plays that); validators must be on the list.
local function may_act(context, route, hotkey)
  if route.auth ~= "validator" then return true end
  return database.row(context.db, "SELECT 1 AS x FROM validator WHERE hotkey = ?", hotkey) ~= nil
end

-- The decoded body, or nil for none; `problem` is the answer to a body that is not JSON.
local function decode(request)
  if request.body == nil or request.body == "" then return nil end
  local value, message = canonical.decode(request.body)
  if value == nil then return nil, answer.invalid(body.not_json(message)) end
  return value
end

local function call(context, route, captures, request)
  local value, problem
  if request.body_path and not route.raw then
    return answer.detail(413, "Request body too large")
  end
  if not route.raw then value, problem = decode(request) end
  if problem then return problem end
  local hotkey
  local sum = hash_of(request, route.raw)
  if route.auth then
    local message
    hotkey, message = signer(context, request, route.raw, sum)
    if not hotkey then return answer.detail(401, message) end
    if not may_act(context, route, hotkey) then
      return answer.detail(403, "hotkey is not an allowed validator")
    end
  end
  for i, capture in ipairs(captures) do captures[i] = unescape(capture) end
  return route.handler(context, {
    id = captures[1], query = query_of(request.query or ""), body = value, hotkey = hotkey,
    request = request, sha256 = sum,
  })
end

--- The coordinator as a function.
-- @param context {db= core.store, dir= folder of its state, now= function() -> seconds}
-- @return function(request) -> response, in the shapes of core.httpd
function M.new(context)
  local routes = all_routes()
  return function(request)
    local route, found = find(routes, request.method, request.path)
    if route then return call(context, route, found, request) end
    if #found > 0 then return not_allowed(found) end
    return answer.detail(404, "Not Found")
  end
end

return M
