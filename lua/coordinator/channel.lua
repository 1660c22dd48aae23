-- One exchange with a coordinator: where it is, signing afresh, clocks, retries, failures in words.
local sys = require "core.sys"

local auth = require "bittern.auth"
local check = require "bittern.check"
local http = require "bittern.http"
local retry = require "bittern.retry"

local M = {}

local TIMEOUT <const> = 30
local ONBOARDING_MAX <const> = 1 << 20
local SKEW <const> = 30

local options_schema = {
  url = { type = "string" }, key = { type = "any", optional = true },
  offline = { type = "boolean", optional = true, default = false },
  now = { type = "function", optional = true, default = sys.time },
  warn = { type = "function", optional = true, default = function() end },
  transport = { type = "table", optional = true, default = http },
  retries = { type = "integer", optional = true, default = 2 },
  timeout = { type = "number", optional = true, default = TIMEOUT },
}

-- The base URL without the slashes at its end; a path prefix stays.
local function base_of(url)
  local parts, message = http.split(url)
  if not parts then return nil, message end
  if parts.query and parts.query ~= "" or url:find("[?#]") then
    return nil, ("coordinator's URL %s has a query or fragment"):format(url)
  end
  if url:match("^[^/]*//[^/]*@") then return nil, "coordinator's URL carries credentials" end
  return (url:gsub("/+$", ""))
end

--- A channel to one coordinator.
-- @param options see coordinator.new
-- @return channel, or nil, message, "config"
function M.open(options)
  local self = check.options(options, options_schema, "coordinator.new")
  local base, message = base_of(self.url)
  if not base then return nil, message, "config" end
  self.base = base
  return self
end

-- Seconds since 1970 of an HTTP date (RFC 9110 5.6.7), or nil.
local months = { Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6, Jul = 7, Aug = 8, Sep = 9,
  Oct = 10, Nov = 11, Dec = 12 }

local function days_before(year, month, day)
  if month <= 2 then year, month = year - 1, month + 12 end
  local days = 365 * year + year // 4 - year // 100 + year // 400
  return days + (153 * month - 457) // 5 + day - 719469
end

--- Seconds since 1970 of an HTTP date, or nil when it is none.
function M.http_date(text)
  local day, name, year, hour, minute, second =
    (text or ""):match("(%d%d) (%a%a%a) (%d%d%d%d) (%d%d):(%d%d):(%d%d) GMT$")
  local month = months[name]
  if not month then return nil end
  local days = days_before(tonumber(year), month, tonumber(day))
  return ((days * 24 + tonumber(hour)) * 60 + tonumber(minute)) * 60 + tonumber(second)
end

-- A clock that is off makes signatures stale; said once.
local function watch_clock(self, response)
  local theirs = M.http_date(response and response.headers and response.headers.date)
  if not theirs then return end
  self.skew = math.tointeger((self.now() - theirs + 0.5) // 1)
  if math.abs(self.skew) <= SKEW or self.warned then return end
  self.warned = true
  self.warn(("this machine's clock is %d s %s the coordinator's; signatures may be refused")
    :format(math.abs(self.skew), self.skew > 0 and "ahead of" or "behind"))
end

local function headers_of(self, request)
  if not request.signed then return {} end
  return auth.headers(self.key, {
    method = request.method, path = request.path, query = request.query, body = request.body,
    now = self.now(),
  })
end

-- One attempt, signed afresh.
local function attempt(self, request)
  local headers, message, code = headers_of(self, request)
  if not headers then return nil, message, code end
  local query = request.query ~= "" and "?" .. request.query or ""
  local options = { headers = headers, body = request.body, timeout = self.timeout }
  local url = self.base .. request.path .. query
  local value, response
  if request.text then
    options.max_bytes = ONBOARDING_MAX
    value, message, code = self.transport.get(url, options)
    response = value
  else
    value, message, code, response = self.transport.json(request.method, url, options)
    if value ~= nil then response = message end
  end
  watch_clock(self, response)
  return value, message, code
end

local function refuse_offline(request)
  return nil, ("--offline: %s %s was not asked"):format(request.method, request.path), "offline"
end

local function send(self, request)
  if self.offline then return refuse_offline(request) end
  if request.signed and not self.key then
    return nil, ("%s %s needs a hotkey to sign with"):format(request.method, request.path), "key"
  end
  if request.method ~= "GET" then return attempt(self, request) end
  return retry.run(function() return attempt(self, request) end, { retries = self.retries })
end

-- Failure of a request, with what a signature has to do with it.
local function failed(self, request, message, code)
  if code == "unauthorized" and not request.signed and not self.key then
    message = message .. "; name a hotkey to sign with"
  elseif code == "unauthorized" and math.abs(self.skew or 0) > SKEW then
    message = ("%s; this machine's clock is off by %d s"):format(message, self.skew)
  end
  return nil, message, code
end

--- A GET, signed when it should be and a key is there; what a server wants signed against its own
-- documents is signed at the second try.
-- @param request {path=, query= array of pairs, signed=, text= the answer is no JSON}
-- @return value (a response where text is set), or nil, message, code
function M.get(self, request)
  request.method, request.query = "GET", http.form(request.query or {})
  request.signed = request.signed and self.key ~= nil
  local value, message, code = send(self, request)
  if code == "unauthorized" and self.key and not request.signed then
    request.signed = true
    value, message, code = send(self, request)
  end
  if value == nil then return failed(self, request, message, code) end
  return value
end

-- What may have reached the server although no good answer came back.
local uncertain = {
  network = true, timeout = true, invalid_response = true, invalid_json = true, too_large = true,
}

--- A signed POST, never repeated by itself.
-- @param request {path=, body= canonical JSON or nil}
-- @return value, or nil, message, code; "unknown_outcome" when the server may have taken it
function M.post(self, request)
  request.method, request.query, request.signed = "POST", "", true
  local value, message, code = send(self, request)
  if value ~= nil then return value end
  return failed(self, request, message, uncertain[code] and "unknown_outcome" or code)
end

return M
