-- `make torture RUNS=1000 SEED=1`: claims and submissions under fire; ends with a table of goals.
local report = require "bittern.report"

local torture = require "tests.torture.torture"

local runs, seed = ...
runs = math.tointeger(tonumber(runs or 1000))
seed = math.tointeger(tonumber(seed or os.time()))
report.say(("seed %d"):format(seed))
local progress = report.progress { label = "torture", unit = "runs", total = runs }
local result = torture.run {
  runs = runs, seed = seed, batch = 25, workers = 6,
  say = function(done) progress:update(done) end,
}
progress:finish()
local columns = { { "goal" }, { "target", right = true }, { "reached", right = true } }
for _, line in ipairs(report.table(columns, torture.rows(result))) do report.out(line) end
for _, text in ipairs(result.odd) do report.say("  " .. text) end
report.say(("%.0f s, seed %d"):format(result.seconds, seed))
return torture.is_good(result) and 0 or 1
