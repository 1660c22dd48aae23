-- `make torture-faults RUNS=3000 SEED=1`: failing calls, failing allocations and kills in every
-- flow; ends with a table.
local report = require "bittern.report"

local campaign = require "tests.faults.campaign"

local runs, seed = ...
runs = math.tointeger(tonumber(runs or 3000))
seed = math.tointeger(tonumber(seed or os.time()))
report.say(("seed %d"):format(seed))
local progress = report.progress { label = "faults", unit = "faults", total = runs }
local result = campaign.run {
  runs = runs, seed = seed, say = function(done) progress:update(done) end,
}
progress:finish()
for _, line in ipairs(report.table(campaign.columns, campaign.rows(result))) do report.out(line) end
for _, text in ipairs(result.odd) do report.say("  " .. text) end
report.say(("%.0f s, seed %d"):format(result.seconds, seed))
return #result.odd == 0 and 0 or 1
