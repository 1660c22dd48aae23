-- Ways in which the practice coordinator misbehaves on demand, so that clients can be tested: which
-- request, how often, and around which handler. What they do stands in the fault_* files beside.
local check = require "bittern.check"

local M = {}

-- name -> {about=, when=function(request), act=function(request, go_on, argument) -> response,
--   number= what its argument is, or nil for none, default= of it, once= only the first time}
local faults = {}
for _, group in ipairs { "answers", "files", "transport" } do
  for name, fault in pairs(require("bittern.practice.fault_" .. group)) do
    assert(not faults[name], name)
    faults[name] = fault
  end
end

--- Every fault by its name.
M.all = faults

--- Lines for a help text: every fault and what it does.
function M.help()
  local lines = {}
  for _, name in ipairs(check.sorted_keys(faults)) do
    local fault = faults[name]
    local word = fault.number and ("%s:%s"):format(name, fault.number) or name
    lines[#lines + 1] = ("  %-24s %s"):format(word, fault.about)
  end
  return table.concat(lines, "\n")
end

local function unknown(text)
  return nil, ("no fault '%s'%s"):format(text, check.hint(text, check.sorted_keys(faults))), "usage"
end

local function in_range(value, most)
  return value and value >= 0 and value <= most
end

-- {fault=, argument=, probability=} of a text.
local function parse(text)
  local name, argument, probability = text:match("^([%w-]+):?([%d.]*)=?([%d.]*)$")
  local fault = faults[name]
  if not fault then return unknown(text) end
  local parsed = {
    fault = fault, argument = argument == "" and fault.default or tonumber(argument),
    probability = probability == "" and 1 or tonumber(probability),
  }
  local good = in_range(parsed.probability, 1)
  if fault.number then good = good and in_range(parsed.argument, 1e6)
  else good = good and argument == "" end
  if not good then return nil, ("fault '%s': %s"):format(text, fault.about), "usage" end
  return parsed
end

--- Puts faults around a handler; the first is the outermost.
-- @param handler function(request) -> response
-- @param texts array of "NAME[:ARGUMENT][=PROBABILITY]"
-- @param random function() -> 0..1, math.random unless given
-- @return handler, or nil, message, "usage"
function M.wrap(handler, texts, random)
  random = random or math.random
  for i = #texts, 1, -1 do
    local parsed, message, code = parse(texts[i])
    if not parsed then return nil, message, code end
    local fault, inner, done = parsed.fault, handler, false
    handler = function(request)
      local spared = done or not fault.when(request) or random() >= parsed.probability
      if spared then return inner(request) end
      done = fault.once or false
      return fault.act(request, inner, parsed.argument)
    end
  end
  return handler
end

return M
