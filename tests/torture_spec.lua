local support = require "tests.support"
local torture = require "tests.torture.torture"

describe("claim, submit and cancel under fire", function()
  it("make nothing twice and lose nothing in 25 runs", function()
    local seed = math.tointeger(support.python("import random; print(random.randrange(1 << 30))"))
    local result = torture.run { runs = 25, seed = seed, batch = 5, workers = 5 }
    local lines = { ("seed %d"):format(seed), table.unpack(result.odd) }
    for _, row in ipairs(torture.rows(result)) do lines[#lines + 1] = table.concat(row, "  ") end
    assert.is_true(torture.is_good(result), table.concat(lines, "\n"))
    assert.is_true(result.kills > 0)
  end)
end)
