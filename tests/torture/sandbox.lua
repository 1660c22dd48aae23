-- `make torture-sandbox`: every hostile recipe with the limits that a recipe has, or so many
-- seconds; ends with a table of goals.
local sys = require "core.sys"

local report = require "bittern.report"

local hostile = require "tests.sandbox.hostile"
local trial = require "tests.sandbox.trial"

local seconds = tonumber((...)) or 5
local limits = { seconds = seconds, memory = 256 << 20 }
local children, files = trial.left_over()
local escaped, late, slowest, started = 0, 0, 0, sys.clock()
local progress = report.progress { label = "scripts", unit = "scripts", total = #hostile }
for i, script in ipairs(hostile) do
  local tried = trial.run(script, limits)
  if tried.escaped then escaped = escaped + 1 end
  if tried.seconds > seconds + 0.5 then late = late + 1 end
  if tried.escaped or tried.seconds > seconds + 0.5 then
    report.warn(("%s: %.2f s, %s"):format(script.name, tried.seconds, tried.said:sub(1, 200)))
  end
  slowest = math.max(slowest, tried.seconds)
  progress:update(i)
end
progress:finish()

local children_now, files_now = trial.left_over()
local left = children_now - children + files_now - files
local columns = { { "GOAL" }, { "TARGET", right = true }, { "REACHED", right = true } }
local rows = {
  { "hostile scripts", "250", ("%d"):format(#hostile) },
  { "escapes", "0", ("%d"):format(escaped) },
  { ("ended later than %g s"):format(seconds + 0.5), "0", ("%d"):format(late) },
  { "the slowest ended after, s", ("%g"):format(seconds + 0.5), ("%.2f"):format(slowest) },
  { "children and files left behind", "0", ("%d"):format(left) },
}
for _, line in ipairs(report.table(columns, rows)) do report.out(line) end
report.say(("%.0f s in all"):format(sys.clock() - started))
return escaped + late + left == 0 and #hostile >= 250 and 0 or 1
