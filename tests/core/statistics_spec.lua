local buffer = require "core.buffer"
local statistics = require "core.statistics"

local function of(list)
  local values = buffer.new("f32", #list)
  for i, value in ipairs(list) do values:set(i - 1, value) end
  return values
end

local function about(expected, found, tolerance)
  assert.is_true(math.abs(expected - found) <= (tolerance or 1e-12), found)
end

-- The same numbers on every run, of a bell-like shape.
local function bell(count, seed)
  local list = {}
  for i = 1, count do
    local sum = 0
    for _ = 1, 12 do
      seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
      sum = sum + seed / 0x7FFFFFFF
    end
    list[i] = string.unpack("<f", string.pack("<f", sum - 6))
  end
  return list
end

describe("core.statistics", function()
  it("gives moments, extremes and what is special", function()
    local s = statistics.new()
    assert.is_true(s:add(of { 1, 2, 3, 4, 0, -0.0, 0 / 0, math.huge, -math.huge }))
    local r = s:summary()
    assert.same({ 9, 2, 1, 2, 0 }, { r.count, r.zeros, r.nans, r.infinities, r.rows })
    about(10 / 6, r.mean)
    about(math.sqrt(30 / 6 - (10 / 6) ^ 2), r.std)
    assert.same({ 0, 4 }, { r.min, r.max })
    assert.same({}, r.norms)
  end)

  it("of nothing gives no moments", function()
    local r = statistics.new(3):summary()
    assert.same({ count = 0, zeros = 0, nans = 0, infinities = 0, rows = 0, norms = {} }, r)
    local s = statistics.new()
    assert(s:add(of { 0 / 0 }))
    assert.is_nil(s:summary().mean)
    assert.equal(0, s:beyond(0, 0))
  end)

  it("agrees with two passes over the same numbers, however they are cut", function()
    local list, sum, squares = bell(20000, 7), 0, 0
    for i, value in ipairs(list) do
      list[i] = string.unpack("<f", string.pack("<f", value + 100))
      sum = sum + list[i]
    end
    for _, value in ipairs(list) do squares = squares + (value - sum / #list) ^ 2 end
    local first
    for _, step in ipairs { 20000, 1, 7, 4096, 4097 } do
      local s = statistics.new(step == 1 and 50 or 0)
      for at = 1, #list, step do
        assert(s:add(of(table.move(list, at, math.min(at + step - 1, #list), 1, {}))))
      end
      local r = s:summary()
      about(sum / #list, r.mean, 1e-9)
      about(math.sqrt(squares / #list), r.std, 1e-9)
      first = first or r
      assert.same({ first.min, first.max, first.count }, { r.min, r.max, r.count })
    end
  end)

  it("measures rows, finished ones only", function()
    local s = statistics.new(2)
    assert(s:add(of { 3 }))
    assert(s:add(of { 4, 0, 0, 5 }))
    local r = s:summary()
    assert.equal(2, r.rows)
    assert.same({ 0, 5, 2.5, 2.5 }, { r.norms.min, r.norms.max, r.norms.mean, r.norms.std })
    assert(s:add(of { 12 }))
    assert.equal(13, s:summary().norms.max)
  end)

  it("counts 16-bit values exactly", function()
    local s = statistics.new()
    assert(s:add(of { -1, -0.5, 0, 0.5, 1, 1, 1.0078125, 0.99609375 }))
    assert.equal(1, s:beyond(-1, 1))
    assert.equal(2, s:beyond(-0.75, 1))
    assert.equal(4, s:beyond(-2, 0.996))
    assert.equal(7, s:beyond(0, 0))
    assert.same({ 1, 1, 1, 5 }, s:histogram(-1, 1, 4))
  end)

  it("counts what lies beyond limits, near the truth for a bell", function()
    local list = bell(50000, 3)
    local s = statistics.new()
    assert(s:add(of(list)))
    for _, limit in ipairs { 0.5, 1, 2, 3, 3.3 } do
      local truth = 0
      for _, value in ipairs(list) do
        if math.abs(value) > limit then truth = truth + 1 end
      end
      about(truth, s:beyond(-limit, limit), 0.06 * truth + 5)
    end
    for _, ends in ipairs { { -3, -1 }, { 0.5, 2 }, { -1, 2.5 }, { 1, 1 } } do
      local truth = 0
      for _, value in ipairs(list) do
        if value < ends[1] or value > ends[2] then truth = truth + 1 end
      end
      about(truth, s:beyond(ends[1], ends[2]), 0.02 * truth)
    end
    assert.equal(0, s:beyond(-10, 10))
        assert.equal(0, s:beyond(-math.huge, math.huge))
  end)

  it("counts steps; all values are in one", function()
    local s = statistics.new()
    assert(s:add(of { -4, -1, -1, 0, 0.5, 1, 3.9, 1e30, -1e30, 0 / 0 }))
    assert.same({ 2, 2, 3, 2 }, { table.unpack(s:histogram(-4, 4, 4), 1, 4) })
    local edges = statistics.new()
    assert(edges:add(of { 3.4028234663852886e38, -3.4028234663852886e38, 1e-45 }))
    assert.same({ 1, 1, 1 }, edges:histogram(-3e38, 3e38, 3))
    assert.same({ 3 }, edges:histogram(0, 1, 1))
  end)

  it("raises for wrong calls", function()
    local s = statistics.new()
    assert.error_matches(function() s:add(buffer.new("f16", 1)) end, "must hold f32")
    assert.error_matches(function() s:add("x") end, "buffer")
    assert.error_matches(function() s:beyond(2, 1) end, "must not be below the low end")
    assert.error_matches(function() s:beyond(0 / 0, 2) end, "must not be below the low end")
    assert.error_matches(function() s:histogram(1, 1, 1) end, "above the low end")
    assert.error_matches(function() s:histogram(0, math.huge, 1) end, "above the low end")
    assert.error_matches(function() s:histogram(0, 1, 0) end, "1..256")
    assert.error_matches(function() statistics.new(-1) end, "")
    assert.equal("statistics (0 values)", tostring(s))
  end)
end)
