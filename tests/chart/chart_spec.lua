-- Charts: round ticks, numbers that lie where they should, markup that every reader takes.
local axis = require "bittern.chart.axis"
local bars = require "bittern.chart.bars"
local fs = require "core.fs"
local history = require "bittern.chart.history"
local layers = require "bittern.chart.layers"
local palette = require "bittern.chart.palette"
local support = require "tests.support"
local svg = require "bittern.chart.svg"
local text = require "bittern.chart.text"

local function labels(one)
  local list = {}
  for i, tick in ipairs(one.ticks) do list[i] = tick.label end
  return table.concat(list, " ")
end

local HOSTILE <const> = "</title><script>alert('\"&\1\27')</script>"

-- Every picture there is, with a hostile text wherever it takes one.
local function pictures()
  local series = { { name = HOSTILE, values = { 5, 7 }, tips = { HOSTILE } },
    { name = "b", values = { [2] = 1 } } }
  local function options()
    return { title = HOSTILE, about = HOSTILE, heading = true, y_title = HOSTILE, series = series,
      names = { HOSTILE, "1" } }
  end
  return {
    layers.stacked(options()), layers.dots(options()),
    history.draw { title = HOSTILE, about = HOSTILE, y_title = HOSTILE, points = {
      { at = 1e9, value = 3, class = "good", tip = HOSTILE },
      { at = 1e9 + 5000, value = 4, class = "bad", tip = HOSTILE } } },
    bars.shares { title = HOSTILE, about = HOSTILE, heading = true, rows = {
      { label = HOSTILE, share = 0.5, words = HOSTILE, class = "s1" } } },
  }
end

describe("an axis", function()
  it("has round ticks", function()
    assert.equal("0 1 2 3 4", labels(axis.linear({ 0, 4.2 }, { from = 0 })))
    assert.equal("2.0 2.5 3.0 3.5 4.0", labels(axis.linear { 2, 4 }))
    assert.equal("-1.0 -0.5 0.0 0.5", labels(axis.linear { -1, 0.6 }))
    assert.equal("1 2 5 10 20 50 100 200", labels(axis.log { 1, 200 }))
    local narrow = axis.log { 2, 4 }
    assert.equal("2.0 2.5 3.0 3.5 4.0", labels(narrow))
    assert.equal(narrow.at(3), narrow.ticks[3].at)
    assert.equal("10 100 1000 10000 100000 1e6 1e7", labels(axis.log { 3, 2e7 }))
    assert.equal("0 5 10 15", labels(axis.bytes({ 17e6 }, { from = 0, count = 4 })))
    assert.equal("MB", select(2, axis.bytes { 17e6, 3 }))
    assert.equal("01 Jan 00:00 01 Jan 00:05 01 Jan 00:10", labels(axis.time { 0, 400 }))
  end)

  it("puts numbers between its ends, even a single one and none", function()
    local one = axis.linear({ 2, 4 }, { margin = 0 })
    assert.same({ 0, 0.5, 1 }, { one.at(2), one.at(3), one.at(4) })
    for _, single in ipairs { axis.linear { 7 }, axis.log { 7 }, axis.bytes { 7 },
      axis.time { 7 } } do
      assert.is_true(math.abs(single.at(7) - 0.5) < 0.01)
      assert.is_true(#single.ticks > 0)
    end
    assert.is_true(#axis.linear({}).ticks > 0)
    assert.is_true(math.abs(axis.log({ 1, 100 }).at(10) - 0.5) < 1e-9)
  end)

  it("labels some of many names", function()
    local names = {}
    for i = 1, 64 do names[i] = tostring(i - 1) end
    local many = axis.names(names)
    assert.equal(17, #many.ticks)
    assert.equal(0.5 / 64, many.at(1))
  end)
end)

describe("a drawing", function()
  it("is sound XML with a title and a description, whatever the texts are", function()
    local folder = support.folder()
    for i, picture in ipairs(pictures()) do
      local path = ("%s/%d.svg"):format(folder, i)
      assert(fs.write(path, picture:document()))
      assert.is_nil(picture:document():find("<script", 1, true))
      assert.equal("script:0 title desc", support.python([[
import sys, xml.dom.minidom as m
d = m.parse(sys.argv[1]).documentElement
names = [c.tagName for c in d.childNodes if c.nodeType == 1]
print("script:%d %s %s" % (len(d.getElementsByTagName("script")), names[0], names[1]), end="")]],
        path))
    end
  end)

  it("stacks what adds up", function()
    local drawn = layers.stacked { title = "t", y_title = "y", names = { "0" }, series = {
      { name = "a", values = { 300 } }, { name = "b", values = { 100 } } } }:inline()
    local found = {}
    local column = 'y="([%d.]+)" width="64.00" height="([%d.]+)" class="(s%d)"'
    for y, height, class in drawn:gmatch(column) do
      found[class] = { tonumber(y), tonumber(height) }
    end
    assert.is_true(math.abs(found.s1[2] / found.s2[2] - 3) < 0.01)
    assert.is_true(math.abs(found.s2[1] + found.s2[2] - found.s1[1]) < 0.02)
  end)

  it("draws the best so far as steps", function()
    local drawn = history.draw { title = "t", y_title = "y", points = {
      { at = 0, value = 5, class = "good" }, { at = 100, value = 1, class = "bad" },
      { at = 200, value = 4, class = "good" }, { at = 300, value = 6, class = "good" } } }:inline()
    local way = drawn:match('points="([^"]+)"')
    assert.equal(4, select(2, way:gsub(",", "")))
  end)

  it("has colours for each series, light and dark, that go round", function()
    assert.same({ "s1", "s7", "s1" },
      { palette.class("s", 1), palette.class("s", 7), palette.class("s", 8) })
    assert.equal(2, select(2, palette.css():gsub("%.s7{", "")))
    assert.equal("a&amp;&lt; &#39;", svg.escape "a&<\n'")
  end)
end)

describe("bars in a terminal", function()
  it("are as long as their numbers, to an eighth", function()
    assert.equal("██▌", text.bar(0.25, 10))
    assert.equal("▏", text.bar(0.0001, 10))
    assert.equal("", text.bar(0, 10))
    assert.equal(30, #text.bar(7, 10))
    assert.same({ "a   ████  4", "bb        -1" },
      text.bars({ { "a", 4, "4" }, { "bb", -1, "-1" } }, 4))
  end)
end)
