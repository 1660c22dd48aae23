local buffer = require "core.buffer"
local quant = require "core.quant"

local codecs = { "b1", "t5", "t2", "q4" }

-- Gaussian numbers of a fixed sequence, by Box and Muller.
local function gaussian(count)
  local out, state = buffer.new("f32", count), 12345
  local function uniform()
    state = (state * 6364136223846793005 + 1442695040888963407) & -1
    return ((state >> 11) + 1) / (2 ^ 53 + 1)
  end
  for i = 0, count - 1 do
    out:set(i, math.sqrt(-2 * math.log(uniform())) * math.cos(2 * math.pi * uniform()))
  end
  return out
end

local function floats(list)
  return buffer.from("f32", string.pack(("<" .. ("f"):rep(#list)), table.unpack(list)))
end

local function values(b)
  local list = {}
  for i = 0, #b - 1 do list[i + 1] = b:get(i) end
  return list
end

local function error_of(weights, decoded)
  local sum = 0
  for i = 0, #weights - 1 do sum = sum + (weights:get(i) - decoded:get(i)) ^ 2 end
  return sum
end

local function decode(codec, packed, rows, cols, group)
  return assert(quant.decode(codec, packed.codes, packed.scales, rows, cols, { group = group }))
end

local function raises(message, ...)
  local arguments = table.pack(...)
  assert.error_matches(function()
    quant.encode(table.unpack(arguments, 1, arguments.n))
  end, message)
end

describe("core.quant", function()
  it("knows each codec's size", function()
    local known = quant.codecs()
    assert.equal(1, known.b1.bits)
    assert.equal(1.6, known.t5.bits)
    assert.equal(2, known.t2.bits)
    assert.same({ bits = 4.0, group = 128 }, known.q4)
    assert.same({ bits = 1.125, id = 41, block = 128, bytes = 18 }, known.q1_0)
    for cols, sizes in pairs {
      [1] = { 1, 1, 1, 1 }, [5] = { 1, 1, 2, 3 }, [8] = { 1, 2, 2, 4 }, [256] = { 32, 52, 64, 128 },
    } do
      for i, codec in ipairs(codecs) do assert.equal(sizes[i], quant.row_bytes(codec, cols)) end
    end
  end)

  it("writes b1 as the layout says", function()
    local packed = quant.encode("b1", floats { 1, -1, 1, 1, -1, -1, -1, -1, 3 }, 1, 9)
    assert.equal("\x0d\x01", packed.codes:text())
    assert.equal(1, #packed.scales)
    assert.near(11 / 9, packed.scales:get(0), 1e-3)
  end)

  it("writes t2 as the layout says", function()
    local packed = quant.encode("t2", floats { 2, 0, -2, 2, -2 }, 1, 5)
    assert.equal(string.char(2 | 1 << 2 | 0 << 4 | 2 << 6, 0), packed.codes:text())
    assert.equal(2, packed.scales:get(0))
  end)

  it("writes t5 in planes as the layout says", function()
    -- Seven columns: m = 2, so byte 0 holds columns 0, 2, 4, 6 and byte 1 holds 1, 3, 5.
    local packed = quant.encode("t5", floats { 1, -1, 0, 1, -1, 1, 1 }, 1, 7)
    local function byte(...)
      local v = 0
      for _, trit in ipairs { ... } do v = 3 * v + trit + 1 end
      return (v * 256 + 242) // 243
    end
    assert.equal(string.char(byte(1, 0, -1, 1, 0), byte(-1, 1, 1, 0, 0)), packed.codes:text())
  end)

  it("writes q4 as the layout says", function()
    local packed = quant.encode("q4", floats { 7, -7, 3, 0, -1 }, 1, 5)
    assert.equal("\x1f\x8b\x07", packed.codes:text())
    assert.equal(1, packed.scales:get(0))
  end)

  it("decodes what it encoded, for any width and group", function()
    for _, codec in ipairs(codecs) do
      for _, cols in ipairs { 1, 2, 4, 5, 7, 8, 9, 127, 128, 129, 257 } do
        for _, group in ipairs(codec == "q4" and { 0 } or { 0, 64, 3 }) do
          local weights = gaussian(3 * cols)
          local packed = assert(quant.encode(codec, weights, 3, cols, { group = group }))
          local decoded = decode(codec, packed, 3, cols, group)
          local reported = packed.errors:get(0) + packed.errors:get(1) + packed.errors:get(2)
          assert.near(error_of(weights, decoded), reported, 1e-4 * reported + 1e-9)
          -- Packing what was decoded changes nothing.
          local again = assert(quant.encode(codec, decoded, 3, cols, { group = group }))
          local twice = decode(codec, again, 3, cols, group)
          assert.near(0, error_of(decoded, twice), 1e-5 * reported + 1e-9)
        end
      end
    end
  end)

  it("fits ternary rows near the optimum of 0.190", function()
    local weights = gaussian(64 * 256)
    local total = error_of(weights, buffer.new("f32", 64 * 256))
    for _, codec in ipairs { "t5", "t2" } do
      local packed = quant.encode(codec, weights, 64, 256)
      local sum = 0
      for row = 0, 63 do sum = sum + packed.errors:get(row) end
      assert.is_true(sum / total <= 0.192, ("%s: %.4f"):format(codec, sum / total))
    end
  end)

  it("loses little with q4 and about 0.363 with b1", function()
    local weights = gaussian(16 * 256)
    local total = error_of(weights, buffer.new("f32", 16 * 256))
    local function relative(codec)
      local packed, sum = quant.encode(codec, weights, 16, 256), 0
      for row = 0, 15 do sum = sum + packed.errors:get(row) end
      return sum / total
    end
    assert.is_true(relative("q4") < 0.0118, "q4: " .. relative("q4"))
    assert.near(0.363, relative("b1"), 0.02)
  end)

  it("takes the mean magnitude when asked", function()
    local packed = quant.encode("t2", floats { 4, 0, 0, 0 }, 1, 4, { scale = "mean_abs" })
    assert.equal(1, packed.scales:get(0))
    assert.equal(9, packed.errors:get(0))
    local fitted = quant.encode("t2", floats { 4, 0, 0, 0 }, 1, 4)
    assert.equal(4, fitted.scales:get(0))
    assert.equal(0, fitted.errors:get(0))
  end)

  it("keeps zero and tiny groups at zero codes", function()
    for _, codec in ipairs { "t5", "t2", "q4" } do
      local packed = quant.encode(codec, floats { 0, 0, 1e-12, -1e-12 }, 2, 2)
      assert.same({ 0, 0, 0, 0 }, values(quant.decode(codec, packed.codes, packed.scales, 2, 2)))
      assert.same({ 0, 0 }, values(packed.scales))
    end
  end)

  it("names the row and column of what is not a number", function()
    for _, codec in ipairs(codecs) do
      for _, bad in ipairs { 0 / 0, 1 / 0, -1 / 0 } do
        local weights = floats { 1, 2, 3, 4, 5, 6 }
        weights:set(5, bad)
        local packed, message, code = quant.encode(codec, weights, 2, 3)
        assert.is_nil(packed)
        assert.equal("row 1, column 2: weight is not finite", message)
        assert.equal("invalid_model", code)
      end
    end
  end)

  it("refuses scales that 16 bits cannot hold", function()
    for _, codec in ipairs(codecs) do
      local packed, message, code = quant.encode(codec, floats { 3e38, -3e38 }, 1, 2)
      assert.is_nil(packed)
      assert.matches("row 0, column 0: scale is too large", message)
      assert.equal("invalid_model", code)
    end
  end)

  it("refuses codes and scales of the wrong size", function()
    local packed = quant.encode("b1", gaussian(20), 2, 10)
    local _, message, code = quant.decode("b1", packed.codes:view(0, 3), packed.scales, 2, 10)
    assert.equal("3 bytes of codes, not 2 x 2", message)
    assert.equal("invalid_model", code)
    _, message = quant.decode("b1", packed.codes, packed.scales, 2, 10, { group = 5 })
    assert.equal("4 bytes of scales, not 2 x 4", message)
    _, message = quant.decode("b1", packed.codes, "\0\x7c\0\0", 2, 10)
    assert.equal("row 0, column 0: scale is not finite", message)
    assert.equal(0, #quant.decode("b1", "", "", 0, 10))
    assert.equal(0, #quant.decode("b1", "", "", 1 << 40, 0))
  end)

  it("tells errors and norms without keeping codes", function()
    local weights = quant.narrow("bf16", gaussian(4 * 200))
    for _, codec in ipairs(codecs) do
      local kept = assert(quant.encode(codec, weights, 4, 200))
      local told = assert(quant.encode(codec, weights:text(), 4, 200,
        { dtype = "bf16", errors_only = true, threads = 2 }))
      assert.is_nil(told.codes)
      assert.same(values(kept.errors), values(told.errors))
      local wide, norm = quant.widen("bf16", weights), 0
      for i = 600, 799 do norm = norm + wide:get(i) ^ 2 end
      assert.near(norm, told.norms:get(3), 1e-4 * norm)
    end
  end)

  it("raises for misuse", function()
    local w = gaussian(6)
    raises("q4 has one base", "q4", w, 2, 3, { bases = 2 })
    raises("offsets are for ternary", "b1", w, 2, 3, { offsets = true })
    raises("offsets are for ternary", "t2", w, 2, 3, { offsets = true, bases = 2 })
    raises("'bases'", "t2", w, 2, 3, { bases = 5 })
    raises("buffer of 3 f32", "t2", w, 2, 3, { importance = w })
    raises("unknown codec 'b2'", "b2", w, 2, 3)
    raises("rows x cols", "b1", w, 2, 4)
    raises("too large", "b1", w, 1 << 40, 1 << 40)
    raises("least_squares or mean_abs", "b1", w, 2, 3, { scale = "x" })
    raises("group of its own", "q4", w, 2, 3, { group = 2 })
    raises("must be a buffer of f32, f16 or bf16", "b1", buffer.new("i8", 6), 2, 3)
    raises("unknown option 'grup'", "b1", w, 2, 3, { grup = 2 })
    raises("made of blocks", "q8_0", w, 2, 3)
  end)

  it("widens and narrows exactly", function()
    local halves = buffer.new("u8", 0)
    assert.equal(0, #quant.widen("f16", halves))
    local list = { 0, -0.0, 1, -1, 65504, 2 ^ -24, 2 ^ -14, 1 / 3 }
    local narrow = quant.narrow("f16", floats(list))
    list[#list] = 0.333251953125
    assert.same(list, values(quant.widen("f16", narrow)))
    local third = quant.narrow("bf16", floats { 1 / 3 })
    assert.same({ 0.333984375 }, values(quant.widen("bf16", third)))
    assert.same({ 1.5 }, values(quant.widen("f32", quant.narrow("f32", floats { 1.5 }))))
    assert.error_matches(function() quant.widen("f16", "abc") end, "ends inside")
    assert.error_matches(function() quant.widen("u8", "abc") end, "f32, f16 or bf16")
  end)

  it("gathers and scatters rows", function()
    local rows = buffer.from("i32", string.pack("<i4i4", 2, 0))
    assert.equal("eeaa", quant.gather("aaccee", 2, rows):text())
    local target = floats { 1, 1, 2, 2, 3, 3 }
    assert.equal(target, quant.scatter(target, 2, rows, floats { 30, 31, 10, 11 }))
    assert.same({ 10, 11, 2, 2, 30, 31 }, values(target))
    for _, bad in ipairs { -1, 3, 1 << 30 } do
      rows:set(1, bad)
      local out, message, code = quant.gather("aaccee", 2, rows)
      assert.is_nil(out)
      assert.equal(("row %d is outside of 3 rows"):format(bad), message)
      assert.equal("out_of_range", code)
      assert.is_nil((quant.scatter(target, 2, rows, floats { 0, 0, 0, 0 })))
    end
    assert.same({ 10, 11, 2, 2, 30, 31 }, values(target))
  end)
end)
