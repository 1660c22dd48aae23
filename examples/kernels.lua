-- Packed weights at work, each call of core.quant once: build/bittern run examples/kernels.lua
local buffer = require "core.buffer"
local quant = require "core.quant"

local rows <const>, cols <const> = 4, 1024

-- isa: what the kernels use, and what this processor could use.
local isa, available = quant.isa()
print("kernels " .. isa .. " of " .. table.concat(available, ", "))

local weights, x = buffer.new("f32", rows * cols), buffer.new("f32", cols)
math.randomseed(1)
for i = 0, rows * cols - 1 do weights:set(i, math.random() + math.random() - 1) end
for i = 0, cols - 1 do x:set(i, math.random() - 0.5) end

-- narrow and widen: f16 and bf16, rounded to nearest even.
local narrow = quant.narrow("bf16", weights)
print(("bf16 %.6f of %.6f"):format(quant.widen("bf16", narrow):get(0), weights:get(0)))

-- codecs, block, row_bytes: what a codec stores.
for _, name in ipairs { "q8_0", "q4_0", "q2_0", "tq2_0", "tq1_0", "q1_0" } do
  local values, bytes = quant.block(name)
  -- encode_blocks and decode_blocks: GGUF's types, packed as their reference packers do, or fitted.
  local fitted = name:find("^t?q[12]_0") and "least_squares" or "reference"
  local blocks, errors = assert(quant.encode_blocks(name, narrow, cols, { fit = fitted,
    errors = true }))
  local decoded = assert(quant.decode_blocks(name, blocks, rows * cols, "f16"))
  -- dot and matmul: straight on the packed rows, with floats or with eight-bit activations.
  local y = assert(quant.matmul(name, blocks, rows, cols, x))
  local rough = assert(quant.matmul(name, blocks, rows, cols, x, { activations = "int8" }))
  print(("%-6s %3d values in %2d bytes, id %2d, %6.4f bits; row of %5d bytes, error %8.4f, "
    .. "first %+.4f, product %+.4f (int8 %+.4f)"):format(name, values, bytes,
    quant.codecs()[name].id, quant.codecs()[name].bits, quant.row_bytes(name, cols),
    errors:get(0), decoded:get(0), y:get(0), rough:get(0)))
end

-- Ours: codes and scales apart; decode into a buffer that is there already, on two threads.
local packed = assert(quant.encode("t5", weights, rows, cols, { group = 256, threads = 2 }))
local into = buffer.new("f32", rows * cols)
assert(quant.decode("t5", packed.codes, packed.scales, rows, cols,
  { group = 256, into = into, threads = 2 }))
print(("t5     first %+.4f, product %+.4f"):format(into:get(0), assert(quant.dot("t5",
  { codes = packed.codes:view(0, quant.row_bytes("t5", cols)), scales = packed.scales:view(0, 4) },
  x, { group = 256 }))))

-- gather and scatter: whole rows by number.
local numbers = buffer.from("i32", string.pack("<i4", 2))
local row = buffer.from("f32", assert(quant.gather(weights, 4 * cols, numbers)))
assert(quant.scatter(into, cols, numbers, row))
print(("row 2 put back as it was: %s"):format(into:get(2 * cols) == weights:get(2 * cols)))
