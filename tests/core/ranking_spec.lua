local buffer = require "core.buffer"
local ranking = require "core.ranking"

local function f32(list)
  local out = buffer.new("f32", #list)
  for i, value in ipairs(list) do out:set(i - 1, value) end
  return out
end

local function numbers(rows)
  local list = {}
  for i = 0, #rows - 1 do list[#list + 1] = rows:get(i) end
  return list
end

describe("core.ranking", function()
  it("puts the rows that gain most first, equal ones by number, and leaves out the rest", function()
    local r = ranking.new(f32 { 5, 1, 9, 5, 2 }, f32 { 1, 1, 2, 1, 3 })
    assert.equal(3, #r)
    assert.same({ 7, 4, 4 }, { r:gain(1), r:gain(2), r:gain(3) })
    assert.same({ 2 }, numbers(r:rows(1)))
    assert.same({ 0, 2 }, numbers(r:rows(2)))
    assert.same({ 0, 2, 3 }, numbers(r:rows(3)))
    assert.same({ 0, 7, 15 }, { r:sum(0), r:sum(1), r:sum(3) })
    assert.same({ 0, 1, 3 }, { r:above(7), r:above(4), r:above(0) })
  end)

  it("agrees with a plain sort, whatever the number of rows", function()
    for _, count in ipairs { 0, 1, 63, 64, 65, 128, 1000 } do
      local before, list = {}, {}
      for i = 1, count do
        before[i] = (i * 7919 % 1009) / 16
        if before[i] > 0 then list[#list + 1] = before[i] end
      end
      local r = ranking.new(f32(before), buffer.new("f32", count))
      table.sort(list, function(a, b) return a > b end)
      assert.equal(#list, #r)
      local sum = 0
      for i, value in ipairs(list) do
        sum = sum + value
        assert.equal(value, r:gain(i))
        assert.equal(sum, r:sum(i))
      end
    end
  end)

  it("ignores gains that are no numbers and refuses ranks that are not there", function()
    local r = ranking.new(f32 { 0 / 0, math.huge, 1 }, f32 { 0, 0, 0 })
    assert.equal(1, #r)
    assert.error_matches(function() r:gain(2) end, "not that many rows gain")
    assert.error_matches(function() r:gain(0) end, "not that many rows gain")
    assert.error_matches(function() ranking.new(f32 { 1 }, f32 {}) end, "another length")
  end)

  it("splits a run of rows into those that are listed and those that are not", function()
    local function i32(list)
      local out = buffer.new("i32", #list)
      for i, value in ipairs(list) do out:set(i - 1, value) end
      return out
    end
    local rows = i32 { 0, 2, 5, 9, 2147483646 }
    local function split(...)
      local others, picked = ranking.split(...)
      return { numbers(others), numbers(picked) }
    end
    assert.same({ { 1 }, { 0, 2 } }, split(rows, 0, 3))
    assert.same({ { 0, 1, 3 }, { 2 } }, split(rows, 3, 4))
    assert.same({ { 0, 1 }, {} }, split(rows, 6, 2))
    assert.same({ { 0 }, { 1 } }, split(rows, 2147483645, 2))
    assert.same({ {}, {} }, split(rows, 7, 0))
    assert.same({ { 0, 1 }, {} }, split(i32 {}, 0, 2))
    for _, wrong in ipairs { { 2, 1 }, { 0, 0 }, { 1, 0, 3, 2 } } do
      assert.error_matches(function() ranking.split(i32(wrong), 0, 4) end, "does not ascend")
    end
    assert.error_matches(function() ranking.split(rows, 1 << 31, 1) end, "no row of a matrix")
    assert.error_matches(function() ranking.split(rows, 9, 2147483647) end, "past every row")
  end)
end)
