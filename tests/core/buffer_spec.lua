local buffer = require "core.buffer"
local map = require "core.map"
local sha256 = require "core.sha256"
local support = require "tests.support"

describe("core.buffer", function()
  it("starts as zeros of the asked type", function()
    for dtype, size in pairs { f64 = 8, f32 = 4, f16 = 2, bf16 = 2, u8 = 1, i8 = 1,
      i32 = 4 } do
      local b = buffer.new(dtype, 5)
      assert.equal(5, b:count())
      assert.equal(5, #b)
      assert.equal(dtype, b:dtype())
      assert.equal(5 * size, b:bytes_size())
      for i = 0, 4 do assert.equal(0, b:get(i)) end
    end
  end)

  it("copies bytes from strings, maps and slices", function()
    local path = support.folder() .. "/f"
    assert(require("core.fs").write(path, string.pack("<fff", 1, -2.5, 3)))
    local m <close> = assert(map.open(path))
    local whole = buffer.from("f32", m)
    local part = buffer.from("f32", m:slice(4, 8))
    assert.equal(-2.5, whole:get(1))
    assert.equal(3, part:get(1))
    assert.equal(string.pack("<ff", -2.5, 3), part:text())
    assert.equal(0, #buffer.from("f32", ""))
  end)

  it("is a byte source itself", function()
    local b = buffer.from("u8", "abc")
    assert.equal(sha256.hex("abc"), sha256.hex(b))
    assert.equal("abc", buffer.from("i8", b):text())
  end)

  it("holds doubles as they are", function()
    local b = buffer.new("f64", 2)
    b:set(1, 0.1)
    assert.equal(0.1, b:get(1))
    assert.equal(string.pack("<dd", 0, 0.1), b:text())
  end)

  it("sums in double precision", function()
    assert.equal(16777218, buffer.from("f32", string.pack("<fff", 16777216, 1, 1)):sum())
    assert.equal(0, buffer.new("f32", 0):sum())
    assert.error_matches(function() buffer.new("u8", 1):sum() end, "must hold f32")
  end)

  it("turns bytes into token numbers", function()
    local tokens = buffer.from_bytes("\0a\255", 1)
    assert.equal("i32", tokens:dtype())
    assert.same({ 1, 98, 256 }, { tokens:get(0), tokens:get(1), tokens:get(2) })
  end)

  it("stores what fits and refuses the rest", function()
    local i8 = buffer.new("i8", 1)
    i8:set(0, -128)
    assert.equal(-128, i8:get(0))
    assert.error_matches(function() i8:set(0, 128) end, "does not fit")
    assert.error_matches(function() buffer.new("u8", 1):set(0, -1) end, "does not fit")
    assert.error_matches(function() buffer.new("i32", 1):set(0, 1 << 31) end, "does not fit")
    assert.error(function() buffer.new("i32", 1):set(0, 0.5) end)
  end)

  it("rounds 16-bit floats to nearest even", function()
    local b = buffer.new("f16", 1)
    b:set(0, 2049)
    assert.equal(2048, b:get(0))
    b:set(0, 2051)
    assert.equal(2052, b:get(0))
    local w = buffer.new("bf16", 1)
    w:set(0, 257)
    assert.equal(256, w:get(0))
    w:set(0, 259)
    assert.equal(260, w:get(0))
  end)

  it("shares memory with its views, which outlive it", function()
    local inner
    do
      local b = buffer.from("i32", string.pack("<i4i4i4i4", 1, 2, 3, 4))
      local v = b:view(1, 2)
      v:set(0, 20)
      assert.equal(20, b:get(1))
      inner = v:view(1, 1)
    end
    collectgarbage()
    collectgarbage()
    assert.equal(3, inner:get(0))
  end)

  it("refuses what lies outside", function()
    local b = buffer.new("u8", 4)
    assert.error_matches(function() b:get(4) end, "outside")
    assert.error_matches(function() b:get(-1) end, "outside")
    assert.error_matches(function() b:set(4, 0) end, "outside")
    assert.error_matches(function() b:view(5, 0) end, "outside")
    assert.error_matches(function() b:view(2, 3) end, "outside")
    assert.equal(0, #b:view(4, 0))
  end)

  it("refuses misuse by name", function()
    assert.error_matches(function() buffer.new("f8", 1) end, "unknown dtype 'f8'")
    assert.error_matches(function() buffer.from("f32", "abc") end, "ends inside an element")
    assert.error(function() buffer.new("u8", -1) end)
    assert.error(function() buffer.new("f32", 1 << 53) end)
    assert.error(function() buffer.new("u8", 1).get({}, 0) end)
  end)

  it("can be closed at any time without harm", function()
    local kept
    do
      local b <close> = buffer.new("u8", 3)
      kept = b
    end
    assert.equal(0, kept:get(2))
    assert.equal("buffer (u8, 3 elements)", tostring(kept))
    assert.is_false(getmetatable(kept))
  end)

  -- A finalizer would keep it for a second collection, and long runs would pile up gigabytes.
  it("gives its memory back at the first collection", function()
    collectgarbage()
    local before = collectgarbage("count")
    do
      local large = buffer.new("u8", 8 << 20)
      assert.is_true(collectgarbage("count") > before + 8000)
      assert.equal(8 << 20, #large)
    end
    collectgarbage()
    assert.is_true(collectgarbage("count") < before + 1000)
  end)
end)
