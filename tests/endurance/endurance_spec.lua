-- What `make endurance` does for half an hour, for twenty seconds.
local endurance = require "tests.endurance.endurance"

describe("a coordinator, a loop and a track, one request in ten failing", function()
  it("keep their memory and descriptors, and lose nothing", function()
    local result = endurance.run { seconds = 20 }
    local lines = {}
    for i, row in ipairs(endurance.rows(result)) do lines[i] = table.concat(row, "  ") end
    assert.is_true(endurance.is_good(result), table.concat(lines, "\n"))
  end)
end)
