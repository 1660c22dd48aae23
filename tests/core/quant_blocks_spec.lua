-- GGUF's block codecs: golden blocks, the reference vectors, fits and refusals.
local buffer = require "core.buffer"
local quant = require "core.quant"
local support = require "tests.support"

local GAUSSIAN <const> = 64 * 256

local function gaussian(count)
  local out, state = buffer.new("f32", count), 4321
  local function uniform()
    state = (state * 6364136223846793005 + 1442695040888963407) & -1
    return ((state >> 11) + 1) / (2 ^ 53 + 1)
  end
  for i = 0, count - 1 do
    out:set(i, math.sqrt(-2 * math.log(uniform())) * math.cos(2 * math.pi * uniform()))
  end
  return out
end

local function values(b, first, last)
  local list = {}
  for i = first or 0, last or #b - 1 do list[#list + 1] = b:get(i) end
  return list
end

local function filled(count, value)
  local b = buffer.new("f32", count)
  for i = 0, count - 1 do b:set(i, value(i)) end
  return b
end

local function relative_error(codec, weights, cols, options)
  local blocks, errors = quant.encode_blocks(codec, weights, cols, options)
  assert(blocks, errors)
  local sum, total = 0, 0
  for i = 0, #errors - 1 do sum = sum + errors:get(i) end
  for i = 0, #weights - 1 do total = total + weights:get(i) ^ 2 end
  return sum / total
end

-- The tensors of the vector file: name, bytes.
local function vectors()
  local text = support.fixture("codecs.gguf")
  local names, list = {}, {}
  for name in support.fixture("codecs.names"):gmatch("%S+") do
    names[#names + 1] = name
  end
  local start = 0x300
  for i, name in ipairs(names) do
    local _, at = text:find(string.pack("<s8", name), 1, true)
    local _, cols, rows, _, offset = string.unpack("<I4I8I8I4I8", text, at + 1)
    list[i] = { name = name, codec = name:match("^[^.]+"), rows = rows, cols = cols,
      offset = start + offset }
  end
  for _, item in ipairs(list) do
    local values_of, bytes_of = quant.block(item.codec)
    local size = item.rows * item.cols // values_of * bytes_of
    item.bytes = text:sub(item.offset + 1, item.offset + size)
  end
  return list, support.fixture("codecs.f32")
end

describe("core.quant blocks", function()
  it("knows each block", function()
    for codec, size in pairs {
      f32 = { 1, 4 }, f16 = { 1, 2 }, bf16 = { 1, 2 }, q8_0 = { 32, 34 }, q4_0 = { 32, 18 },
      q1_0 = { 128, 18 }, q2_0 = { 64, 18 }, tq1_0 = { 256, 54 }, tq2_0 = { 256, 66 },
    } do
      assert.same(size, { quant.block(codec) })
      assert.equal(size[2], quant.row_bytes(codec, size[1]))
    end
    assert.same({ 0, 0 }, { quant.block("b1") })
  end)

  it("decodes the reference vectors bit for bit", function()
    local list, expected = vectors()
    assert.equal(9, #list)
    for i, item in ipairs(list) do
      local count = item.rows * item.cols
      local decoded = assert(quant.decode_blocks(item.codec, item.bytes, count))
      local wanted = expected:sub((i - 1) * count * 4 + 1, i * count * 4)
      assert.is_true(wanted == decoded:text(), item.name)
      for _, dtype in ipairs { "f16", "bf16" } do
        assert.equal(quant.narrow(dtype, decoded):text(),
          quant.decode_blocks(item.codec, item.bytes, count, dtype):text(), item.name)
      end
    end
  end)

  it("packs what the reference vectors hold into the same bytes", function()
    for _, item in ipairs(vectors()) do
      local weights = assert(quant.decode_blocks(item.codec, item.bytes, item.rows * item.cols))
      local blocks = assert(quant.encode_blocks(item.codec, weights, item.cols))
      assert.is_true(item.bytes == blocks:text(), item.name)
    end
  end)

  it("reads and writes golden blocks of q8_0 and q4_0", function()
    local eight = "\0\x40" .. ("\1"):rep(31) .. "\x80"
    local decoded = quant.decode_blocks("q8_0", eight, 32)
    assert.same({ 2, -256 }, values(decoded, 30, 31))
    local weights = filled(32, function(i) return i == 0 and 127 or i == 1 and -63.5 or 0 end)
    assert.equal("\0\x3c\x7f\xc0" .. ("\0"):rep(30),
      quant.encode_blocks("q8_0", weights, 32):text())
    local four = "\0\x3c" .. "\x10" .. ("\x88"):rep(14) .. "\xf9"
    decoded = quant.decode_blocks("q4_0", four, 32)
    assert.same({ -8, 0 }, values(decoded, 0, 1))
    assert.same({ 1, -7 }, values(decoded, 15, 16))
    assert.same({ 7 }, values(decoded, 31, 31))
    assert.equal(four, quant.encode_blocks("q4_0", decoded, 32):text())
  end)

  it("reads and writes golden blocks of q1_0 and q2_0", function()
    local one = "\0\x38" .. "\x01" .. ("\0"):rep(14) .. "\x80"
    local decoded = quant.decode_blocks("q1_0", one, 128)
    assert.same({ 0.5, -0.5 }, values(decoded, 0, 1))
    assert.same({ -0.5, 0.5 }, values(decoded, 126, 127))
    assert.equal(one, quant.encode_blocks("q1_0", decoded, 128):text())
    local two = "\0\x3c" .. string.char(2 | 1 << 2 | 0 << 4 | 3 << 6) .. ("\x55"):rep(15)
    decoded = quant.decode_blocks("q2_0", two, 64)
    assert.same({ 1, 0, -1, 2, 0 }, values(decoded, 0, 4))
    decoded:set(3, 1)
    assert.equal("\0\x3c" .. string.char(2 | 1 << 2 | 0 << 4 | 2 << 6) .. ("\x55"):rep(15),
      quant.encode_blocks("q2_0", decoded, 64):text())
  end)

  it("reads and writes golden blocks of tq1_0 and tq2_0", function()
    local function trits(...)
      local v = 0
      for _, trit in ipairs { ... } do v = 3 * v + trit + 1 end
      return string.char((v * 256 + 242) // 243)
    end
    local zero = trits(0, 0, 0, 0, 0)
    local one = trits(1, -1, 0, 1, -1) .. zero:rep(31) .. trits(-1, 1, 1, 0, 0) .. zero:rep(15)
      .. trits(1, 0, -1, 1, -1) .. trits(0, 0, 0, 0, -1):rep(3) .. "\0\x3c"
    local decoded = quant.decode_blocks("tq1_0", one, 256)
    assert.same({ 1, -1, 0, 1, -1 }, { decoded:get(0), decoded:get(32), decoded:get(64),
      decoded:get(96), decoded:get(128) })
    assert.same({ -1, 1, 1 }, { decoded:get(160), decoded:get(176), decoded:get(192) })
    assert.same({ 1, 0, -1, 1 }, { decoded:get(240), decoded:get(244), decoded:get(248),
      decoded:get(252) })
    assert.equal(one, quant.encode_blocks("tq1_0", decoded, 256):text())
    local two = string.char(2 | 0 << 2 | 1 << 4 | 2 << 6) .. ("\x55"):rep(62) .. "\x15" .. "\0\x3c"
    decoded = quant.decode_blocks("tq2_0", two, 256)
    assert.same({ 1, -1, 0, 1, -1 }, { decoded:get(0), decoded:get(32), decoded:get(64),
      decoded:get(96), decoded:get(255) })
    assert.equal(two, quant.encode_blocks("tq2_0", decoded, 256):text())
  end)

  it("fits ternary blocks near the optimum, where the reference packers do not", function()
    local weights = gaussian(GAUSSIAN)
    for codec, limits in pairs {
      tq1_0 = { 0.192, 0.6 }, tq2_0 = { 0.192, 0.6 }, q2_0 = { 0.192, 0.45 },
    } do
      local fitted = relative_error(codec, weights, 256, { fit = "least_squares", errors = true })
      assert.is_true(fitted <= limits[1], codec .. " " .. fitted)
      local reference = relative_error(codec, weights, 256, { errors = true })
      assert.is_true(reference >= limits[2], codec .. " " .. reference)
    end
    for _, fit in ipairs { "reference", "least_squares" } do
      assert.near(0.36, relative_error("q1_0", weights, 256, { fit = fit, errors = true }), 0.01)
    end
    assert.is_true(relative_error("q4_0", weights, 256, { errors = true }) < 0.0085)
    assert.is_true(relative_error("q8_0", weights, 256, { errors = true }) < 1e-4)
    assert.is_true(relative_error("bf16", weights, 256, { errors = true }) < 1e-5)
  end)

  it("fits our ternary codecs in groups of 128 and 256", function()
    local weights, total = gaussian(GAUSSIAN), 0
    for i = 0, GAUSSIAN - 1 do total = total + weights:get(i) ^ 2 end
    for _, codec in ipairs { "t5", "t2" } do
      for _, group in ipairs { 128, 256 } do
        local packed, sum = assert(quant.encode(codec, weights, 16, 1024, { group = group })), 0
        for row = 0, 15 do sum = sum + packed.errors:get(row) end
        assert.is_true(sum / total <= 0.192, ("%s %d: %.4f"):format(codec, group, sum / total))
      end
    end
  end)

  it("packs from sixteen bits as from the same values in thirty-two", function()
    local weights = gaussian(4 * 256)
    for _, dtype in ipairs { "f16", "bf16" } do
      local narrow = quant.narrow(dtype, weights)
      local wide = quant.widen(dtype, narrow)
      for codec, known in pairs(quant.codecs()) do
        if known.block then
          local expected = quant.encode_blocks(codec, wide, 256):text()
          assert.equal(expected, quant.encode_blocks(codec, narrow, 256):text(), codec)
          assert.equal(expected,
            quant.encode_blocks(codec, narrow:text(), 256, { dtype = dtype, threads = 3 }):text())
        else
          local expected = quant.encode(codec, wide, 4, 256)
          local packed = quant.encode(codec, narrow, 4, 256, { threads = 2 })
          assert.equal(expected.codes:text(), packed.codes:text(), codec)
          assert.equal(expected.scales:text(), packed.scales:text(), codec)
          assert.equal(expected.errors:text(), packed.errors:text(), codec)
        end
      end
    end
  end)

  it("names the row and column of what is not a number", function()
    for codec, known in pairs(quant.codecs()) do
      for _, bad in ipairs { 0 / 0, 1 / 0, -1 / 0 } do
        local weights = gaussian(3 * 256)
        weights:set(2 * 256 + 77, bad)
        local encode = known.block and quant.encode_blocks or function(name, w)
          return quant.encode(name, w, 3, 256)
        end
        local out, message, code = encode(codec, weights, 256)
        assert.is_nil(out)
        assert.equal("row 2, column 77: weight is not finite", message)
        assert.equal("invalid_model", code)
      end
    end
  end)

  it("refuses values and scales that sixteen bits cannot hold", function()
    local large = filled(256, function(i) return i == 130 and -3e38 or 1 end)
    for codec, column in pairs { f16 = 130, q8_0 = 128, q4_0 = 128, q1_0 = 128, q2_0 = 128,
      tq1_0 = 0, tq2_0 = 0 } do
      local out, message = quant.encode_blocks(codec, large, 256)
      assert.is_nil(out)
      assert.matches(("row 0, column %d: %%a+ is too large for 16 bits"):format(column), message)
    end
    assert.truthy(quant.encode_blocks("bf16", large, 256))
    assert.truthy(quant.encode_blocks("f32", large, 256))
    local overflow = filled(1, function() return 3.4e38 end)
    assert.is_nil((quant.encode_blocks("bf16", overflow, 1)))
  end)

  it("refuses blocks of the wrong size and scales that are no numbers", function()
    local _, message, code = quant.decode_blocks("q8_0", ("\0"):rep(67), 64)
    assert.equal("67 bytes of q8_0, not 2 x 34", message)
    assert.equal("invalid_model", code)
    _, message = quant.decode_blocks("q8_0", ("\0"):rep(34), 31)
    assert.equal("31 values are not whole blocks of 32", message)
    _, message = quant.decode_blocks("q1_0", ("\0"):rep(18) .. "\0\x7e" .. ("\0"):rep(16), 256)
    assert.equal("block 1: scale is not finite", message)
    assert.equal(0, #quant.decode_blocks("tq1_0", "", 0))
    assert.error_matches(function() quant.decode_blocks("b1", "", 0) end, "has no blocks")
    assert.error_matches(function() quant.decode_blocks("q8_0", "", 0, "u8") end, "f32, f16 or")
    assert.error_matches(function() quant.encode_blocks("q8_0", gaussian(31), 31) end, "not whole")
    assert.error_matches(function()
      quant.encode_blocks("q8_0", gaussian(32), 32, { fit = "least_squares" })
    end, "no fitted encoder")
  end)

  it("fills a buffer that it is given, on any number of threads", function()
    local weights = gaussian(GAUSSIAN)
    local blocks = quant.encode_blocks("tq2_0", weights, 256)
    local expected = quant.decode_blocks("tq2_0", blocks, GAUSSIAN, "f16"):text()
    local into = buffer.new("f16", GAUSSIAN)
    local got = quant.decode_blocks("tq2_0", blocks, GAUSSIAN,
      { dtype = "f16", into = into, threads = 4 })
    assert.equal(into, got)
    assert.equal(expected, into:text())
    assert.error_matches(function()
      quant.decode_blocks("tq2_0", blocks, GAUSSIAN, { into = into })
    end, "option 'into'")
    local packed = quant.encode("t5", weights, 64, 256)
    local wanted = quant.decode("t5", packed.codes, packed.scales, 64, 256, { dtype = "f16" })
    quant.decode("t5", packed.codes, packed.scales, 64, 256,
      { dtype = "f16", into = into, threads = 3 })
    assert.equal(wanted:text(), into:text())
  end)
end)

describe("core.quant products", function()
  local function plain(weights, x, rows, cols, n)
    local y = {}
    for v = 0, n - 1 do
      for r = 0, rows - 1 do
        local sum = 0
        for c = 0, cols - 1 do
          sum = sum + weights:get(r * cols + c) * x:get(v * cols + c)
        end
        y[#y + 1] = sum
      end
    end
    return y
  end

  local function near(expected, y, tolerance, what)
    assert.equal(#expected, #y)
    for i, v in ipairs(expected) do assert.near(v, y:get(i - 1), tolerance, what) end
  end

  it("multiplies packed rows with floats and with eight bits", function()
    local x, dense = gaussian(2 * 512), gaussian(3 * 512)
    for codec, known in pairs(quant.codecs()) do
      local weights, decoded
      if known.block then
        weights = quant.encode_blocks(codec, dense, 512)
        decoded = quant.decode_blocks(codec, weights, 3 * 512)
      else
        weights = quant.encode(codec, dense, 3, 512)
        decoded = quant.decode(codec, weights.codes, weights.scales, 3, 512)
      end
      local expected = plain(decoded, x, 3, 512, 2)
      near(expected, quant.matmul(codec, weights, 3, 512, x), 2e-3, codec)
      if known.bits < 16 then
        local y = assert(quant.matmul(codec, weights, 3, 512, x, { activations = "int8" }))
        near(expected, y, codec:find("^tq") and 4 or 1.2, codec)
        assert.equal(y:text(), quant.matmul(codec, weights, 3, 512, x,
          { activations = "int8", threads = 2 }):text())
      end
    end
  end)

  it("is exact with eight bits when the vector is", function()
    local x = filled(640, function(i) return (i * 37 % 255 - 127) / 4 end)
    local weights = filled(640, function(i) return (i * 7 % 3 - 1) * 0.5 end)
    for _, group in ipairs { 0, 128, 100 } do
      for _, codec in ipairs { "t2", "t5" } do
        local packed = quant.encode(codec, weights, 1, 640, { group = group })
        local sum = plain(weights, x, 1, 640, 1)[1]
        assert.equal(sum, quant.dot(codec, packed, x, { activations = "int8", group = group }))
        assert.equal(sum, quant.dot(codec, packed, x, { group = group }))
      end
    end
  end)

  it("refuses vectors and weights that do not fit", function()
    local x = gaussian(128)
    local weights = quant.encode_blocks("q1_0", gaussian(256), 128)
    x:set(3, 0 / 0)
    local y, message = quant.matmul("q1_0", weights, 2, 128, x, { activations = "int8" })
    assert.is_nil(y)
    assert.equal("vector 0, element 3 is not finite", message)
    y, message = quant.matmul("q1_0", weights, 3, 128, x)
    assert.is_nil(y)
    assert.equal("36 bytes of codes, not 3 x 18", message)
    assert.error_matches(function() quant.matmul("q1_0", weights, 2, 128, gaussian(100)) end,
      "vectors of cols")
    assert.error_matches(function()
      quant.matmul("f16", gaussian(64), 1, 128, x, { activations = "int8" })
    end, "no product with int8")
  end)
end)
