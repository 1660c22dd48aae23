-- What a coordinator's openapi.json says against what the client sends: a server of tomorrow is
-- noticed before a claim is at stake.
local check = require "bittern.check"
local routes = require "bittern.coordinator.routes"

local M = {}

local methods = { get = true, post = true, put = true, delete = true, patch = true }

-- "GET /api/v1/tasks/{}": what a placeholder is called is nobody's business.
local function name_of(method, path)
  return method:upper() .. " " .. path:gsub("{[^}]*}", "{}")
end

-- {name = operation}; parameters may stand with the path, too.
local function operations_of(document)
  local found = {}
  for path, item in pairs(document.paths or {}) do
    for method, operation in pairs(type(item) == "table" and item or {}) do
      if methods[method] and type(operation) == "table" then
        found[name_of(method, path)] = { operation = operation, shared = item.parameters or {} }
      end
    end
  end
  return found
end

local function filters_of(entry)
  local names = {}
  for _, list in ipairs { entry.operation.parameters or {}, entry.shared } do
    for _, parameter in ipairs(list) do
      if parameter["in"] == "query" then names[parameter.name or ""] = true end
    end
  end
  return names
end

local function compare(name, route, entry, say)
  if not entry then return say(name .. " is not there") end
  local filters = filters_of(entry)
  for _, filter in ipairs(route.query or {}) do
    if not filters[filter] then say(("%s has no filter '%s'"):format(name, filter)) end
  end
  local takes_body = entry.operation.requestBody ~= nil
  if route.body and not takes_body then say(name .. " takes no body") end
  if not route.body and takes_body and entry.operation.requestBody.required then
    say(name .. " wants a body")
  end
end

--- Where a description and the client differ.
-- @param document as client:openapi() gives it
-- @return array of texts: what the client misses, sorted; array of the routes under /api/v1 that it
--   does not know
function M.compare(document)
  local there, known, missing, new = operations_of(document), {}, {}, {}
  for _, key in ipairs(check.sorted_keys(routes)) do
    local route = routes[key]
    local name = name_of(route[1], route[2])
    known[name] = true
    -- No service describes its own description.
    if route[2] ~= "/openapi.json" then
      compare(name, route, there[name], function(text) missing[#missing + 1] = text end)
    end
  end
  for _, name in ipairs(check.sorted_keys(there)) do
    if not known[name] and name:find(" /api/v1/", 1, true) then new[#new + 1] = name end
  end
  table.sort(missing)
  return missing, new
end

return M
