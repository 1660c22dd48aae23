-- Ways in which the practice coordinator misbehaves on demand, so that clients can be tested.
local fs = require "core.fs"
local sys = require "core.sys"

local check = require "bittern.check"
local json = require "bittern.json"

local answer = require "bittern.practice.answer"

local M = {}

local HTML <const> = "<html><head><title>504 Gateway Time-out</title></head>"
  .. "<body>upstream request timeout</body></html>"

local function html(status)
  return answer.text(status, HTML, "text/html")
end

local function is(request, method, pattern)
  return request.method == method and request.path:find(pattern) ~= nil
end

-- Answers the task list with something else.
local function tasks_instead(make)
  return function()
    return function(request, go_on)
      if is(request, "GET", "^/api/v1/tasks$") then return make(request, go_on) end
      return go_on(request)
    end
  end
end

-- The first matching request is carried out, and its answer is lost.
local function lose_answer(pattern)
  return function()
    local lost = false
    return function(request, go_on)
      local response = go_on(request)
      if lost or not is(request, "POST", pattern) or response.status >= 300 then return response end
      lost = true
      return html(504)
    end
  end
end

local function refuse(pattern, make)
  return function()
    return function(request, go_on)
      if is(request, "POST", pattern) then return make() end
      return go_on(request)
    end
  end
end

local function broken_record(request, go_on)
  local response = go_on(request)
  local tasks = assert(json.decode(response.body))
  table.insert(tasks, 1, { id = 7, slug = json.null, task_state = json.array {}, metric_name = 3 })
  table.insert(tasks, 2, "not a record")
  return answer.json(200, tasks)
end

local function no_stake()
  return answer.detail(403, {
    error = "insufficient_miner_stake",
    message = "hotkey has insufficient stake on SN94; fund or bond this hotkey",
  })
end

local CLAIM <const>, SUBMIT <const> = "^/api/v1/tasks/[^/]+/claim$", "^/api/v1/submissions$"

-- name -> {about, make = function(argument) -> function(request, go_on) -> response}
local faults = {
  ["tasks-html"] = { "GET tasks answers an HTML page", tasks_instead(function()
    return html(200)
  end) },
  ["tasks-null"] = { "GET tasks answers null", tasks_instead(function()
    return answer.json(200, json.null)
  end) },
  ["tasks-500"] = { "GET tasks answers 500", tasks_instead(function()
    return answer.text(500, "Internal Server Error")
  end) },
  ["tasks-broken-record"] = { "GET tasks has two broken records before the good ones",
    tasks_instead(broken_record) },
  ["drop-claim-response"] = { "the first claim is made, its answer lost (504)",
    lose_answer(CLAIM) },
  ["drop-submit-response"] = { "the first submission is stored, its answer lost (504)",
    lose_answer(SUBMIT) },
  ["submit-500"] = { "POST submissions answers 500 and stores nothing",
    refuse(SUBMIT, function() return answer.text(500, "Internal Server Error") end) },
  ["no-stake"] = { "claims are refused for insufficient_miner_stake", refuse(CLAIM, no_stake) },
  ["unsigned-401"] = { "every unsigned /api/ request answers 401", function()
    return function(request, go_on)
      if request.path:find("^/api/") and not request.headers["x-signature"] then
        return answer.detail(401, "missing auth headers")
      end
      return go_on(request)
    end
  end },
  ["slow"] = { "slow:SECONDS, every answer waits", function(seconds)
    return function(request, go_on)
      sys.sleep(seconds)
      return go_on(request)
    end
  end, number = true },
  ["file-redirect"] = { "GET /files/NAME answers 302 to itself with ?direct=1", function()
    return function(request, go_on)
      if is(request, "GET", "^/files/") and request.query == "" then
        return { status = 302, headers = { Location = request.path .. "?direct=1" }, body = "" }
      end
      return go_on(request)
    end
  end },
  ["file-changed"] = { "GET /files/NAME answers with its last byte changed", function()
    return function(request, go_on)
      local response = go_on(request)
      if not is(request, "GET", "^/files/") or not response.file then return response end
      local bytes = assert(fs.read(response.file))
      response.body = bytes:sub(1, -2) .. string.char(bytes:byte(-1) ~ 1)
      response.file = nil
      return response
    end
  end },
}

--- Lines for a help text: every fault and what it does.
function M.help()
  local lines = {}
  for _, name in ipairs(check.sorted_keys(faults)) do
    lines[#lines + 1] = ("  %-22s %s"):format(name, faults[name][1])
  end
  return table.concat(lines, "\n")
end

local function make(text)
  local name, argument = text:match("^([%w-]+):?(.*)$")
  local fault = faults[name]
  if not fault then
    local near = check.nearest(text, check.sorted_keys(faults))
    local hint = near and ("; did you mean '%s'?"):format(near) or ""
    return nil, ("no fault '%s'%s"):format(text, hint), "usage"
  end
  local number = tonumber(argument)
  local good = argument == ""
  if fault.number then good = number and number >= 0 and number < 1e6 end
  if not good then
    return nil, ("fault '%s': %s"):format(text, fault[1]), "usage"
  end
  return fault[2](number)
end

--- Puts faults around a handler; the first is the outermost.
-- @param handler function(request) -> response
-- @param names array of "name" or "name:argument"
-- @return handler, or nil, message, "usage"
function M.wrap(handler, names)
  for i = #names, 1, -1 do
    local fault, message, code = make(names[i])
    if not fault then return nil, message, code end
    local inner = handler
    handler = function(request) return fault(request, inner) end
  end
  return handler
end

return M
