-- `make endurance MINUTES=30`: coordinator, loop and track for so long; ends with a table of goals.
local report = require "bittern.report"

local endurance = require "tests.endurance.endurance"

local seconds = (tonumber((...)) or 30) * 60
local progress = report.progress { label = "endurance", unit = "s", total = seconds }
local result = endurance.run {
  seconds = seconds, say = function(now) progress:update(now // 1) end,
}
progress:finish()
local columns = { { "GOAL" }, { "TARGET", right = true }, { "REACHED", right = true } }
for _, line in ipairs(report.table(columns, endurance.rows(result))) do report.out(line) end
return endurance.is_good(result) and 0 or 1
