-- All network: core.http with this program's defaults, and answers of JSON services made readable.
local json = require "bittern.json"
local report = require "bittern.report"
local retry = require "bittern.retry"
local version = require "bittern.version"

local M = {}

local LONGEST <const> = 300 -- characters of a server's words in a message
local IDEMPOTENT <const> = { GET = true, HEAD = true, PUT = true, DELETE = true }
local CODES <const> = { [401] = "unauthorized", [403] = "forbidden", [404] = "not_found",
  [408] = "timeout", [409] = "conflict", [429] = "busy" }

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

-- Cuts at a character, not inside one.
local function shorten(text)
  text = report.clean(text):gsub("%s+", " "):gsub("^ ", ""):gsub(" $", "")
  if #text <= LONGEST then return text end
  local last = LONGEST
  while last > 0 and (text:byte(last + 1) & 0xC0) == 0x80 do last = last - 1 end
  return text:sub(1, last) .. "..."
end

local function from_html(text)
  local title = text:match("<[tT][iI][tT][lL][eE][^>]*>([^<]+)")
  return title or (text:gsub("<[^>]*>", " "))
end

-- One item of a validation error: `body.task_id: field required`.
local function from_item(item)
  if type(item) ~= "table" then return tostring(item) end
  local place = {}
  for _, part in ipairs(type(item.loc) == "table" and item.loc or {}) do
    place[#place + 1] = tostring(part)
  end
  local text = type(item.msg) == "string" and item.msg or json.encode(item) or "?"
  return #place > 0 and table.concat(place, ".") .. ": " .. text or text
end

-- An object's `error` and `message`, then whatever else it holds.
local function from_object(object)
  local words, rest = {}, {}
  for _, key in ipairs { "error", "message" } do
    if type(object[key]) == "string" then words[#words + 1] = object[key] end
  end
  for key, value in pairs(object) do
    if type(value) ~= "string" or key ~= "error" and key ~= "message" then rest[key] = value end
  end
  if next(rest) or #words == 0 then words[#words + 1] = json.encode(rest) or "?" end
  return table.concat(words, ": ")
end

local function from_json(value)
  local detail = type(value) == "table" and value.detail
  if detail == nil or detail == false then detail = value end
  if type(detail) == "string" then return detail end
  if type(detail) ~= "table" then return json.encode(detail) or "?" end
  if #detail == 0 then return from_object(detail) end
  local items = {}
  for i, item in ipairs(detail) do items[i] = from_item(item) end
  return table.concat(items, "; ")
end

local function is_html(response)
  local kind = response.headers["content-type"] or ""
  return kind:find("html", 1, true) or response.body:find("^%s*<")
end

-- What a failed answer says, in words; and its JSON value where it has one.
local function words_of(response)
  if not response.body:find("%S") then return "an empty answer" end
  if is_html(response) then return shorten(from_html(response.body)) end
  local value = json.decode(response.body)
  if value == nil then return shorten(response.body) end
  return shorten(from_json(value)), value
end

local function code_of(response, value)
  local detail = type(value) == "table" and value.detail or value
  if type(detail) == "table" then detail = detail.error end
  if type(detail) == "string" and detail:find("insufficient_miner_stake", 1, true) then
    return "stake"
  end
  if CODES[response.status] then return CODES[response.status] end
  return response.status >= 500 and "server_error" or "rejected"
end

-- A redirect that was not followed.
local function elsewhere(name, response)
  return nil, ("%s: %d, sent elsewhere: %s"):format(name, response.status,
    shorten(response.headers.location or "nowhere")), "invalid_response", response
end

-- The value of a good answer; no body and null are null, as the reference client has it.
local function read_value(name, response)
  if response.status >= 300 then return elsewhere(name, response) end
  if not response.body:find("%S") then return json.null end
  local value
  if not is_html(response) then value = json.decode(response.body) end
  if value == nil then
    return nil, ("%s: %d, but not JSON: %s"):format(name, response.status,
      (words_of(response))), "invalid_response"
  end
  return value
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
  local words, value = words_of(response)
  return nil, ("%s: %d %s"):format(name_of(method, url), response.status, words),
    code_of(response, value), response
end

--- GET of a text. Statuses from 400 on are failures with the service's own words.
-- @param url string
-- @param options as for request; follows up to five redirects unless it says otherwise
-- @return the text, response; or nil, message, code and, when there was one, the response
function M.text(url, options)
  local response, message, code, refused = successful("GET", url, options)
  if not response then return nil, message, code, refused end
  if response.status >= 300 then return elsewhere(name_of("GET", url), response) end
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
  local value, why, id = read_value(name_of(method, url), response)
  if value == nil then return nil, why, id, response end
  return value, response
end

return M
