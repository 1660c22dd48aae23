-- All network: core.http with this program's defaults; texts and JSON values of services.
local answer = require "bittern.http.answer"
local json = require "bittern.json"
local report = require "bittern.report"
local retry = require "bittern.retry"
local version = require "bittern.version"

local M = {}

local IDEMPOTENT <const> = { GET = true, HEAD = true, PUT = true, DELETE = true }

local settings = { offline = false }

--- Set once by the command line.
-- @param options {offline = boolean, ca_file = PEM file of the authorities to trust, nil for the
--   system's}
function M.configure(options)
  settings.offline, settings.ca_file = options.offline or false, options.ca_file
end

M.date = retry.date

--- The parts of a URL, as text: nothing is decoded.
-- @param url string
-- @return {scheme=, host=, port= integer, path= "/" at least, query= "" where there is none},
--   or nil, message, "config"
function M.split(url)
  local scheme, rest
  if url:find("^[\33-\126]+$") then scheme, rest = url:match("^(%a+)://([^#]+)") end
  scheme = scheme and scheme:lower()
  if scheme ~= "http" and scheme ~= "https" then
    return nil, ("'%s' is not a URL of the form https://host/path"):format(report.clean(url)),
      "config"
  end
  local authority, tail = rest:match("^([^/?]*)(.*)$")
  local host, port = authority:match("^(%[[%x:.]+%]):?(%d*)$")
  if not host then host, port = authority:match("^([%w._-]+):?(%d*)$") end
  local number = port ~= "" and tonumber(port) or scheme == "https" and 443 or 80
  if not host or number < 1 or number > 65535 then
    return nil, ("'%s' names no host"):format(report.clean(url)), "config"
  end
  local path, query = tail:match("^([^?]*)%??(.*)$")
  return { scheme = scheme, host = host:lower(), port = math.tointeger(number),
    path = path == "" and "/" or path, query = query }
end

local function escape(value)
  if math.type(value) == "integer" then value = ("%d"):format(value) end
  if type(value) ~= "string" then
    error("http.form: a value must be a string or an integer, not " .. type(value), 4)
  end
  local escaped = value:gsub("[^%w_.~ -]", function(c) return ("%%%02X"):format(c:byte()) end)
  return (escaped:gsub(" ", "+"))
end

--- Form-encodes a query exactly as the reference client does, since signatures cover it.
-- @param pairs_list array of {key, value}: value nil or json.null is dropped, an array repeats
--   the key
-- @return string, "" when nothing is left
function M.form(pairs_list)
  local parts = {}
  local function add(key, value)
    parts[#parts + 1] = escape(key) .. "=" .. escape(value)
  end
  for _, pair in ipairs(pairs_list) do
    local key, value = pair[1], pair[2]
    if type(value) == "table" then
      for _, member in ipairs(value) do add(key, member) end
    elseif value ~= nil and value ~= json.null then
      add(key, value)
    end
  end
  return table.concat(parts, "&")
end

local function has_header(headers, name)
  for _, line in ipairs(headers) do
    if line:match("^[^:]*"):lower() == name then return true end
  end
  return false
end

-- The headers of one try: the caller's (a function makes them anew, for signatures) and ours.
local function headers_for(options)
  local given = options.headers or {}
  if type(given) == "function" then given = given() end
  local headers = { table.unpack(given) }
  if not has_header(headers, "user-agent") then
    headers[#headers + 1] = "User-Agent: bittern/" .. version
  end
  return headers
end

-- A try that gave the sink some bytes cannot be repeated: they cannot be taken back.
local function watched(sink, state)
  if not sink then return nil end
  return function(piece)
    state.touched = true
    return sink(piece)
  end
end

local function attempt(options)
  local state, all = {}, {}
  for key, value in pairs(options) do all[key] = value end
  all.retry, all.offline = nil, nil
  all.ca_file = all.ca_file or settings.ca_file
  all.headers = headers_for(options)
  all.sink = watched(options.sink, state)
  local response, message, code = require("core.http").request(all)
  return response, message, code, not state.touched
end

--- One request, with core.http's options and these:
-- `headers` may be a function that makes them anew for every try (signatures carry the time);
-- `retry` = true or bittern.retry's options sends again what may be sent again;
-- `offline` refuses, as the command line's --offline does for all requests.
-- @param options table
-- @return response {status=, headers=, body=, size=, url=}, or nil, message, code
function M.request(options)
  local method = options.method or "GET"
  if options.offline or settings.offline then
    local name = tostring(options.url):match("^[^?#]*")
    return nil, ("%s %s: not sent, because of --offline"):format(method, name), "offline"
  end
  local function try() return attempt(options) end
  if not options.retry then
    local response, message, code = try()
    return response, message, code
  end
  local policy = { idempotent = IDEMPOTENT[method] or false }
  for key, value in pairs(options.retry == true and {} or options.retry) do policy[key] = value end
  return retry.run(try, policy)
end

--- Ranges of remote files, many at once (core.http); refused under --offline.
-- @param options {connect_timeout, speed}
-- @return ranges, or nil, message, code
function M.ranges(options)
  if settings.offline then return nil, "nothing is downloaded, because of --offline", "offline" end
  local all = { ca_file = settings.ca_file }
  for key, value in pairs(options or {}) do all[key] = value end
  return require("core.http").ranges(all)
end

--- GET.
-- @param url string
-- @param options as for request
function M.get(url, options)
  local all = { url = url, method = "GET" }
  for key, value in pairs(options or {}) do all[key] = value end
  return M.request(all)
end

-- "GET /api/v1/tasks"
local function name_of(method, url)
  local parts = M.split(url)
  return method .. " " .. (parts and parts.path or url)
end

-- A request whose statuses from 400 on are failures with the service's own words.
local function successful(method, url, options)
  local all = { method = method, url = url, redirects = method == "GET" and 5 or 0 }
  for key, value in pairs(options or {}) do all[key] = value end
  local response, message, code = M.request(all)
  if not response or response.status < 400 then return response, message, code end
  local words, value = answer.words(response)
  return nil, ("%s: %d %s"):format(name_of(method, url), response.status, words),
    answer.code(response, value), response
end

--- GET of a text. Statuses from 400 on are failures with the service's own words.
-- @param url string
-- @param options as for request; follows up to five redirects unless it says otherwise
-- @return the text, response; or nil, message, code and, when there was one, the response
function M.text(url, options)
  local response, message, code, refused = successful("GET", url, options)
  if not response then return nil, message, code, refused end
  if response.status >= 300 then return answer.elsewhere(name_of("GET", url), response) end
  return response.body, response
end

--- A request to a JSON service. Statuses from 400 on are failures with the service's own words.
-- @param method string
-- @param url string
-- @param options as for request; GETs follow up to five redirects unless it says otherwise
-- @return the value (json.null for none), response; or nil, message, code and, when there was one,
--   the response with its raw body
function M.json(method, url, options)
  local response, message, code, refused = successful(method, url, options)
  if not response then return nil, message, code, refused end
  local value, why, id = answer.value(name_of(method, url), response)
  if value == nil then return nil, why, id, response end
  return value, response
end

return M
