local changes = require "bittern.onboard.changes"

local function of(before, after)
  return changes.lines(table.concat(before, "\n") .. "\n", table.concat(after, "\n") .. "\n")
end

describe("bittern.onboard.changes", function()
  it("tells the lines that went and came, in their order", function()
    assert.same({}, of({ "a", "b" }, { "a", "b" }))
    assert.same({ "- b", "+ x", "+ y" }, of({ "a", "b", "c" }, { "a", "x", "y", "c" }))
    assert.same({ "+ 0", "- b", "+ e" }, of({ "a", "b", "c", "d" }, { "0", "a", "c", "d", "e" }))
    assert.same({ "- a" }, of({ "a", "a" }, { "a" }))
    assert.same({ "- a", "- b", "+ " }, of({ "a", "b" }, { "" }))
  end)

  it("sees no change in how lines end", function()
    assert.same({}, changes.lines("a\r\nb", "a\nb\n"))
  end)

  it("tells all lines of a change that is too large to be compared", function()
    local before, after = {}, {}
    for i = 1, 1100 do before[i], after[i] = "old " .. i, "new " .. i end
    before[600], after[600] = "same", "same"
    local lines = of(before, after)
    assert.equal(2200, #lines)
    assert.same({ "- old 1", "- old 1100", "+ new 1" }, { lines[1], lines[1100], lines[1101] })
  end)

  it("takes away and adds just what makes one of the other, whatever that was", function()
    math.randomseed(7)
    for _ = 1, 200 do
      local a, b = {}, {}
      for _, list in ipairs { a, b } do
        for i = 1, math.random(8) do list[i] = string.char(96 + math.random(3)) end
      end
      local count = { a = 0, b = 0, c = 0 }
      for _, line in ipairs(a) do count[line] = count[line] + 1 end
      for _, line in ipairs(of(a, b)) do
        local letter = line:sub(3)
        count[letter] = count[letter] + (line:sub(1, 1) == "+" and 1 or -1)
      end
      for _, line in ipairs(b) do count[line] = count[line] - 1 end
      assert.same({ a = 0, b = 0, c = 0 }, count)
    end
  end)
end)
