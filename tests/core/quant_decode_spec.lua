-- Rows of several bases, with offsets and factors of columns, decoded.
local buffer = require "core.buffer"
local quant = require "core.quant"

local function halves(list)
  local wide = buffer.from("f32", string.pack(("<" .. ("f"):rep(#list)), table.unpack(list)))
  return quant.narrow("f16", wide)
end

local function f32(x) return (string.unpack("<f", string.pack("<f", x))) end

describe("decoding", function()
  -- Five columns in groups of three; the codes are +1 -1 +1 +1 -1 and -1 -1 +1 -1 -1.
  local codes, second = "\x0d", "\x04"
  local scales, small = halves { 1.5, 0.3 }, halves { 0.25, 0.1 }
  local offsets, columns = halves { 0.01, -0.02 }, halves { 1, 0.5, 3, 1.1, 0 }

  local function decode(more)
    local options = { group = 3 }
    for key, value in pairs(more) do options[key] = value end
    return quant.decode("b1", codes, scales, 1, 5, options)
  end

  it("adds bases, then the offset, then multiplies, each step rounded", function()
    local one, two = { 1, -1, 1, 1, -1 }, { -1, -1, 1, -1, -1 }
    local values = assert(decode { more = { { codes = second, scales = small } },
      offsets = offsets, columns = columns })
    for i = 1, 5 do
      local group = i <= 3 and 0 or 1
      local value = f32(f32(scales:get(group) * one[i]) + f32(small:get(group) * two[i]))
      value = f32(f32(value + offsets:get(group)) * columns:get(i - 1))
      assert.equal(value, values:get(i - 1))
    end
    local narrow = assert(decode { columns = columns:view(0, 5), dtype = "bf16" })
    assert.equal(quant.narrow("bf16", assert(decode { columns = columns })):text(), narrow:text())
  end)

  it("refuses parts of the wrong size and numbers that are not finite", function()
    local function fails(expected, options)
      local values, message, code = decode(options)
      assert.is_nil(values)
      assert.equal(expected, message)
      assert.equal("invalid_model", code)
    end
    fails("2 bytes of offsets, not 1 x 4", { offsets = "ab" })
    fails("2 bytes of columns, not 1 x 10", { columns = "ab" })
    fails("2 bytes of codes, not 1 x 1", { more = { { codes = "ab", scales = small } } })
    fails("2 bytes of scales, not 1 x 4", { more = { { codes = second, scales = "ab" } } })
    fails("row 0, column 3: scale or offset is not finite", { offsets = "\0\0\0\x7c" })
    fails("row 0, column 0: scale is not finite",
      { more = { { codes = second, scales = "\0\x7c\0\0" } } })
    fails("column 2: its scale is not finite", { columns = "\0\0\0\0\0\xfe\0\0\0\0" })
  end)

  it("raises for misuse", function()
    local function raises(message, options)
      assert.error_matches(function() decode(options) end, message)
    end
    raises("codes and scales", { more = { {} } })
    raises("table expected", { more = { 1 } })
    raises("more than 4 bases", { more = { {}, {}, {}, {} } })
    raises("string, map, slice or buffer", { columns = 1 })
  end)
end)
