-- The rows of a matrix by what q4 saves over one bit: build/bittern run examples/ranking.lua
local quant = require "core.quant"
local ranking = require "core.ranking"

local model = require "bittern.model"
local paths = require "bittern.paths"

local m <close> = assert(model.open(paths.root() .. "/examples/models/tiny-qwen3"))
local values, shape = m:floats("model.layers.0.mlp.up_proj.weight")
local low = assert(quant.encode("b1", values, shape[1], shape[2]))
local high = assert(quant.encode("q4", values, shape[1], shape[2]))

local rows = ranking.new(low.errors, high.errors)
print(("%d of %d rows gain, together %.4f"):format(#rows, shape[1], rows:sum(#rows)))
local first = rows:rows(5)
for i = 0, #first - 1 do print(("row %d is among the first five"):format(first:get(i))) end
print(("%d rows gain more than half of what the first does"):format(rows:above(rows:gain(1) / 2)))
