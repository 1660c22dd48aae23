-- When a failed request is sent again, and after how long: the one policy for all of them.
local check = require "bittern.check"
local report = require "bittern.report"
local sys = require "core.sys"

local M = {}

-- Failures that come before the server could have seen anything, and those that leave it open.
local BEFORE_SENDING <const> = { unreachable = true }
local WHILE_SENDING <const> = { network = true, timeout = true }
local TEMPORARY <const> = { [408] = true, [429] = true, [500] = true, [502] = true, [503] = true,
  [504] = true }

local MONTHS <const> = { Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6, Jul = 7, Aug = 8,
  Sep = 9, Oct = 10, Nov = 11, Dec = 12 }

local schema = {
  idempotent = { type = "boolean", default = false },
  tries = { type = "integer", default = 6 },
  base = { type = "number", default = 1 },
  cap = { type = "number", default = 60 },
  total = { type = "number", default = 180 },
  clock = { type = "function", default = sys.clock },
  now = { type = "function", default = sys.time },
  sleep = { type = "function", default = sys.sleep },
  random = { type = "function", default = math.random },
  say = { type = "function", default = report.say },
}
for _, field in pairs(schema) do field.optional = true end

-- Days from 1970-01-01 to a date of the Gregorian calendar.
local function days(year, month, day)
  if month <= 2 then year, month = year - 1, month + 12 end
  return 365 * year + year // 4 - year // 100 + year // 400 + (153 * (month - 3) + 2) // 5 + day
    - 719469
end

--- Seconds since 1970 of an HTTP date, as the headers Date and Retry-After carry it.
-- @param text "Sun, 06 Nov 1994 08:49:37 GMT"
-- @return integer, or nil when it is not such a date
function M.date(text)
  local day, name, year, hour, minute, second =
    text:match("^%a+, (%d%d) (%a%a%a) (%d%d%d%d) (%d%d):(%d%d):(%d%d) GMT$")
  local month = name and MONTHS[name]
  if not month then return nil end
  local function int(digits) return math.tointeger(tonumber(digits)) end
  return days(int(year), month, int(day)) * 86400 + int(hour) * 3600 + int(minute) * 60
    + int(second)
end

-- Seconds that the server asks us to wait, or nil.
local function asked(response, now)
  local text = response and response.headers["retry-after"]
  if not text then return nil end
  local date = M.date(text)
  if date then return math.max(0, date - now) end
  -- A number of twenty digits is a float, and as absurd as a smaller one above the cap.
  return text:find("^%d+$") and math.min(tonumber(text), 1 << 53) // 1 | 0
end

-- Seconds to wait before try number `try` + 1, and why.
local function pause(options, try, response)
  local wish = asked(response, options.now())
  if not wish then
    return options.random() * math.min(options.cap, options.base * 2 ^ (try - 1)), ""
  end
  if wish <= options.cap then return wish, ", as the server asks" end
  return options.cap, (", though the server asks for %.0f s"):format(wish)
end

--- How long to wait after a failed try, by this module's policy.
-- @param try number of tries in a row that failed, from 1 on
-- @param response {headers} of the answer; nil where there was none
-- @param base most seconds after the first one; 1 when nil
-- @return seconds, text to add about what the server wishes
function M.delay(try, response, base)
  return pause({ base = base or schema.base.default, cap = schema.cap.default, random = math.random,
    now = sys.time }, try, response)
end

local function is_worth_it(idempotent, response, code)
  if response then return idempotent and TEMPORARY[response.status] or false end
  return BEFORE_SENDING[code] or idempotent and WHILE_SENDING[code] or false
end

local function reason(response, message)
  if not response then return tostring(message) end
  if not response.url then return "status " .. response.status end
  return ("%s answers %d"):format(response.url:match("^[^?#]*"), response.status)
end

--- Whether a request that may be sent again is worth another try.
-- @param failure {code, status}, as core.http's ranges give it
function M.is_passing(failure)
  local response = failure.code == "http_status" and failure or nil
  return is_worth_it(true, response, failure.code)
end

-- What the last try gave, with their number.
local function give_up(try, response, message, code)
  if not response and try > 1 then message = ("%s (%d tries)"):format(message, try) end
  return response, message, code
end

--- Calls a request until it succeeds or is not worth another try: full jitter, doubling from
-- `base` to `cap` seconds, at most `tries` times and `total` seconds; the server's Retry-After
-- counts, up to `cap`. What may have reached the server is sent again only if it is idempotent.
-- @param attempt function(try) -> response | nil, message, code, may_repeat; may_repeat = false
--   says that this failure must not be repeated
-- @param options {idempotent=false, tries=6, base=1, cap=60, total=180}; clock, now, sleep, random
--   and say replace the world's
-- @return what the last attempt returned
function M.run(attempt, options)
  options = check.options(options, schema, "retry.run")
  local stop = options.clock() + options.total
  local try = 1
  while true do
    local response, message, code, may_repeat = attempt(try)
    local again = may_repeat ~= false and is_worth_it(options.idempotent, response, code)
    if not again or try >= options.tries then return give_up(try, response, message, code) end
    local seconds, why = pause(options, try, response)
    if options.clock() + seconds > stop then return give_up(try, response, message, code) end
    options.say(("%s; again in %.1f s%s"):format(reason(response, message), seconds, why))
    local slept, problem, id = options.sleep(seconds)
    if not slept then return nil, problem, id end
    try = try + 1
  end
end

return M
