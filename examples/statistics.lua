-- How the weights of a matrix are spread: build/bittern run examples/statistics.lua
local statistics = require "core.statistics"

local model = require "bittern.model"
local paths = require "bittern.paths"

local m <close> = assert(model.open(paths.root() .. "/examples/models/tiny-qwen3"))
local values, shape = m:floats("model.layers.0.mlp.up_proj.weight")
local s = statistics.new(shape[2])
assert(s:add(values))

local r = s:summary()
local limit = 4 * r.std
print(("%d values, mean %+.5f, std %.5f, in %.3f..%.3f"):format(r.count, r.mean, r.std, r.min,
  r.max))
print(("%d rows, norms %.3f..%.3f"):format(r.rows, r.norms.min, r.norms.max))
print(("%.0f values beyond 4 std"):format(s:beyond(-limit, limit)))
for i, count in ipairs(s:histogram(-limit, limit, 8)) do
  print(("%+.3f  %s"):format(-limit + (i - 1) * limit / 4, ("#"):rep(count * 100 // r.count)))
end
