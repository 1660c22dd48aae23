-- A practice coordinator that loses answers: `run tests/torture/server.lua DIR SEED SETTLE`.
-- Of every ten POSTs some are carried out and their answer lost, some are lost before they arrive,
-- and some are carried out only later, as behind a proxy that gave up first. Lists fail, too.
local sys = require "core.sys"

local answer = require "bittern.practice.answer"
local faults = require "bittern.practice.faults"
local report = require "bittern.report"
local server = require "bittern.practice.server"

local dir, seed, settle = ...
math.randomseed(assert(math.tointeger(tonumber(seed))))
settle = assert(tonumber(settle))

local counts, late = {}, {}

local function count(what)
  counts[what] = (counts[what] or 0) + 1
end

local function lost_answer()
  local kind = math.random(4)
  if kind == 1 then return answer.text(200, "<html>welcome</html>", "text/html") end
  if kind == 2 then return answer.text(200, '{"id": "broken', "application/json") end
  return answer.text(kind == 3 and 502 or 504, "<html><title>Bad Gateway</title></html>",
    "text/html")
end

-- Whatever comes a second time for a claim is refused by this coordinator; it counts all the same,
-- since another might have stored it.
local function guarded(go_on)
  return function(request)
    local response = go_on(request)
    if request.path == "/api/v1/submissions" and response.status == 409 then
      count "sent again"
    end
    return response
  end
end

-- What was put off and is due now; a signature was good when it arrived.
local function carry_out(go_on)
  local now, waiting = sys.clock(), {}
  for _, put_off in ipairs(late) do
    if put_off.at <= now then go_on(put_off.request) else waiting[#waiting + 1] = put_off end
  end
  late = waiting
end

local function post(request, go_on)
  local draw = math.random()
  if draw < 0.15 then
    count "answers lost"
    go_on(request)
    return lost_answer()
  elseif draw < 0.22 then
    count "requests lost"
    return answer.text(502, "Bad Gateway")
  elseif draw < 0.29 then
    count "carried out late"
    late[#late + 1] = { at = sys.clock() + 0.4 * settle * math.random(), request = request }
    return answer.text(504, "Gateway Timeout")
  end
  return go_on(request)
end

local function is_counted(request)
  return request.method == "POST" and request.path:find("^/api/v1/")
end

local function wrap(handler)
  local go_on = guarded(handler)
  return function(request)
    if request.path == "/torture" then return answer.json(200, counts) end
    carry_out(go_on)
    if is_counted(request) then return post(request, go_on) end
    local is_list = request.path == "/api/v1/claims" or request.path == "/api/v1/submissions"
    if is_list and math.random() < 0.05 then
      count "lists failed"
      return answer.text(503, "Service Unavailable")
    end
    return go_on(request)
  end
end

-- In place of the faults that can be named on the command line.
faults.wrap = wrap

assert(server.run {
  dir = dir, port = 0, validator = false, tasks = {}, faults = {}, now = sys.time,
  ready = report.data, warn = report.warn,
})
