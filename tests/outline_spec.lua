local json = require "bittern.json"
local outline = require "bittern.outline"
local wrap = require "bittern.report.wrap"

describe("bittern.outline", function()
  it("shows known fields first and leaves nothing out", function()
    assert.same({
      "id       1",
      "metrics",
      "  a      5.5540151569081235",
      "  b      2",
      "extra    true",
      "list     x, y",
      "nothing  none",
      'odd      [{"deep":1}]',
    }, outline.lines({
      extra = true, id = "1", metrics = { b = 2, a = 5.5540151569081235 }, list = { "x", "y" },
      odd = { { deep = 1 } }, nothing = json.array {},
    }, { "id", "metrics" }))
  end)

  it("wraps long values at 80 columns and cleans what outsiders wrote", function()
    local lines = outline.lines({ ["a\27[2J"] = ("word "):rep(40), b = "x\27]0;title\7y" }, {})
    for _, line in ipairs(lines) do assert.is_true(#line <= 80) end
    assert.matches("^a  word", lines[1])
    assert.matches("^   word", lines[2])
    assert.equal("b  xy", lines[#lines])
  end)

  it("wraps by characters, and never loses a long word", function()
    assert.same({ "  ab", "  cdefghijkl", "  m" }, wrap("ab cdefghijkl m", 6, "  "))
    assert.same({ "éé é" }, wrap("éé é", 4, ""))
    assert.same({ "" }, wrap("", 10, ""))
  end)
end)
