-- One exchange with a coordinator: where it is, signing afresh, clocks, retries, failures in words.
local sys = require "core.sys"

local auth = require "bittern.auth"
local check = require "bittern.check"
local http = require "bittern.http"

local M = {}

local TIMEOUT <const> = 30
local TEXT_MAX <const> = 1 << 20
local SKEW <const> = 30

-- For people who wait at a terminal.
local QUICK <const> = { tries = 3, base = 0.5, cap = 4, total = 20 }

local options_schema = {
  url = { type = "string" }, key = { type = "any", optional = true },
  offline = { type = "boolean", optional = true, default = false },
  now = { type = "function", optional = true, default = sys.time },
  warn = { type = "function", optional = true, default = function() end },
  transport = { type = "table", optional = true, default = http },
  retry = { type = "table", optional = true, default = QUICK },
  timeout = { type = "number", optional = true, default = TIMEOUT },
}

-- The base URL without the slashes at its end; a path prefix stays.
local function base_of(url)
  local parts, message = http.split(url)
  if not parts then return nil, message end
  if url:find("[?#]") then return nil, ("'%s' has a query or a fragment"):format(url) end
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

-- How far the clock is off, and what to do about it.
local function clock_text(skew)
  return ("this machine's clock is %d s %s the coordinator's, which %s signatures beyond %d s; set "
    .. "the clock (timedatectl set-ntp true)"):format(math.abs(skew),
    skew > 0 and "ahead of" or "behind", math.abs(skew) > auth.WINDOW and "refuses" or
    "would refuse", auth.WINDOW)
end

-- The server's time: a cache tells how long it kept an answer.
local function time_of(response)
  local headers = response and response.headers or {}
  local date = headers.date and http.date(headers.date)
  local age = headers.age and headers.age:match("^%d+$")
  return date and date + (tonumber(age) or 0)
end

-- A clock that is off makes signatures stale; said once.
local function watch_clock(self, response)
  local theirs = time_of(response)
  if not theirs then return end
  self.skew = math.tointeger((self.now() - theirs + 0.5) // 1)
  if math.abs(self.skew) <= SKEW or self.warned then return end
  self.warned = true
  self.warn(clock_text(self.skew))
end

local function sign(self, request)
  return auth.headers(self.key, {
    method = request.method, path = request.path, query = request.query, body = request.body,
    now = self.now(),
  })
end

-- Headers of a request: signatures carry the time, so each attempt of a GET is signed afresh.
local function headers_for(self, request)
  if not request.signed then return {} end
  if request.method ~= "GET" then return sign(self, request) end
  return function() return assert(sign(self, request)) end
end

local function exchange(self, request, options)
  local query = request.query ~= "" and "?" .. request.query or ""
  local url = self.base .. request.path .. query
  local value, message, code, refused
  if request.text then
    options.max_bytes = TEXT_MAX
    value, message, code, refused = self.transport.text(url, options)
  else
    value, message, code, refused = self.transport.json(request.method, url, options)
  end
  watch_clock(self, value ~= nil and message or refused)
  return value, message, code, refused
end

local function send(self, request)
  if request.signed and not self.key then
    return nil, ("%s %s needs a hotkey to sign with"):format(request.method, request.path), "key"
  end
  local headers, message, code = headers_for(self, request)
  if not headers then return nil, message, code end
  return exchange(self, request, {
    headers = headers, body = request.body, timeout = self.timeout, offline = self.offline,
    retry = request.method == "GET" and self.retry or nil,
    -- A signature covers the path, so what is signed is not sent elsewhere.
    redirects = request.signed and 0 or request.redirects,
  })
end

-- Failure of a request, with what a signature has to do with it.
local function failed(self, request, message, code, response)
  if code == "unauthorized" and not request.signed and not self.key then
    return nil, message .. "; name a hotkey to sign with", "key_missing", response
  end
  if code == "unauthorized" and math.abs(self.skew or 0) > SKEW then
    message = message .. "; " .. clock_text(self.skew)
  end
  return nil, message, code, response
end

--- A GET, signed when it should be and a key is there; what a server wants signed against its own
-- documents is signed at the second try.
-- @param request {path=, query= array of pairs, signed=, text= the answer is no JSON}
-- @return value (a string where text is set), or nil, message, code and, when there was one, the
--   response
function M.get(self, request)
  request.method, request.query = "GET", http.form(request.query or {})
  request.signed = request.signed and self.key ~= nil
  local value, message, code, response = send(self, request)
  if code == "unauthorized" and self.key and not request.signed then
    request.signed = true
    value, message, code, response = send(self, request)
  end
  if value == nil then return failed(self, request, message, code, response) end
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
