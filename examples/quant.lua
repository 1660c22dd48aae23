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

-- What one codec can be told beside: two bases, a free middle level, importance by column.
local function show(what, codec, options)
  local packed = assert(quant.encode(codec, row, 1, cols, options))
  local restored = assert(quant.decode(codec, packed.codes, packed.scales, 1, cols,
    { group = options.group, more = packed.more, offsets = packed.offsets,
      columns = options.columns }))
  print(("%-3s %-28s error %9.4f  first weight %+.3f -> %+.3f"):format(codec, what,
    packed.errors:get(0), row:get(0), restored:get(0)))
end

local importance = buffer.new("f32", cols)
for i = 0, cols - 1 do importance:set(i, i < 100 and 10 or 0.1) end
show("two bases", "b1", { bases = 2 })
show("groups of 64 with offsets", "t2", { group = 64, offsets = true })
show("the first 100 count most", "t2", { importance = importance })

-- Factors of columns, fitted over all rows: here one row, so that they hold its magnitudes.
show("factors of columns", "b1", { columns = assert(quant.column_scales("b1", row, 1, cols)) })

-- Errors and norms alone, from bf16 where it lies: nothing is kept, nothing copied.
local told = assert(quant.encode("t5", quant.narrow("bf16", row), 1, cols, { errors_only = true }))
print(("t5  relative error %.4f"):format(told.errors:get(0) / told.norms:get(0)))
