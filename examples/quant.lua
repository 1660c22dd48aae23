-- How much of a Gaussian row each codec keeps: build/bittern run examples/quant.lua
local buffer = require "core.buffer"
local quant = require "core.quant"

local cols <const> = 1024
local row, total = buffer.new("f32", cols), 0
math.randomseed(1)
for i = 0, cols - 1 do
  local w = math.sqrt(-2 * math.log(1 - math.random())) * math.cos(2 * math.pi * math.random())
  row:set(i, w)
  total = total + w * w
end

for _, codec in ipairs { "b1", "t5", "t2", "q4" } do
  local packed = assert(quant.encode(codec, row, 1, cols, { scale = "least_squares" }))
  local restored = assert(quant.decode(codec, packed.codes, packed.scales, 1, cols))
  print(("%-3s %5d bytes  relative error %.4f  first weight %+.3f -> %+.3f"):format(codec,
    packed.codes:bytes_size() + packed.scales:bytes_size(), packed.errors:get(0) / total,
    row:get(0), restored:get(0)))
end
