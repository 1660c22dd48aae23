-- Scripts found, loaded and given arguments, and what else a command needs:
--   build/bittern run examples/script.lua
local check = require "bittern.check"
local errors = require "bittern.errors"
local outline = require "bittern.outline"
local report = require "bittern.report"
local retry = require "bittern.retry"
local script = require "bittern.script"
local template = require "bittern.template"

for _, kind in ipairs(script.kinds()) do
  report.out(("%-9s %d found"):format(script.word(kind), #script.list(kind)))
end

local recipe = assert(script.find("recipe", "rowcol"))
for name, value in pairs(assert(script.arguments(recipe, { base = "t5" }))) do
  report.out(("  %s = %s"):format(name, tostring(value)))
end

-- A slip of the hand gets the nearest name; an error's id has an exit code and a next step.
local _, message, code = script.find("recipe", "rowcoll")
report.out(("%s (exit code %d: %s)"):format(message, errors.exit(code), errors.next(code)))
report.out(select(2, check.table({ nam = 1 }, { name = { type = "string" } })))

report.out(assert(template.fill("{recipe} in {bits} bits", { recipe = "rowcol", bits = 1.3125 })))
for _, line in ipairs(outline.lines({ slug = "tiny", state = "live" }, { "slug" })) do
  report.out(line)
end

-- A request that is answered at the third try; the clock is ours, so nothing waits.
local now, slept = 0, 0
local answer = retry.run(function(try)
  if try < 3 then return nil, "no route", "unreachable" end
  return "after " .. slept .. " pauses"
end, { idempotent = true, clock = function() return now end, now = function() return now end,
  random = function() return 1 end, say = function() end,
  sleep = function(seconds) now, slept = now + seconds, slept + 1 return true end })
report.out(answer)
