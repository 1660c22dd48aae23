local budget = require "bittern.compress.budget"
local support = require "tests.support"

describe("budget", function()
  it("gives the figures of the contract", function()
    assert.equal(2752512, budget.bits(2097152, "binary"))
    assert.equal(344064, budget.bytes(2097152, "binary"))
    assert.equal(4639949, budget.bits(2097152, "ternary"))
    assert.equal(579993, budget.bytes(2097152, "ternary"))
    assert.equal(282187500, budget.bytes(1720000000, "binary"))
    assert.equal(475687500, budget.bytes(1720000000, "ternary"))
    assert.equal(4429687500, budget.bytes(27000000000, "binary"))
    assert.equal(7467187500, budget.bytes(27000000000, "ternary"))
  end)

  it("takes a name, a decimal, a fraction or a pair", function()
    assert.equal(budget.bits(12345, "binary"), budget.bits(12345, "1.3125"))
    assert.equal(budget.bits(12345, "ternary"), budget.bits(12345, "177/80"))
    assert.equal(budget.bits(12345, "ternary"), budget.bits(12345, { 177, 80 }))
    assert.equal(24690, budget.bits(12345, "2"))
    assert.equal("ternary", budget.name { 177, 80 })
    assert.equal("3/2", budget.name { 3, 2 })
  end)

  it("is exact up to 2^53 parameters, as Python counts", function()
    local out = support.python([[
for p in (0, 1, 7, 79, 80, 81, 2428672, 27781427952, 2**53 - 1, 2**53):
    for n, d in ((21, 16), (177, 80), (999999937, 999999929)):
        b = -(-p * n // d)
        print(p, n, d, b, b // 8)]])
    local cases = 0
    for line in out:gmatch("[^\n]+") do
      local p, n, d, bits, bytes = line:match("(%d+) (%d+) (%d+) (%d+) (%d+)")
      local rate = { math.tointeger(n), math.tointeger(d) }
      assert.equal(math.tointeger(bits), budget.bits(math.tointeger(p), rate), line)
      assert.equal(math.tointeger(bytes), budget.bytes(math.tointeger(p), rate), line)
      cases = cases + 1
    end
    assert.equal(30, cases)
  end)

  it("refuses what is no budget", function()
    local slips = { "binry", "", "-1", "0", "1e3", "nan", "1/0", "0/5", "100", "1.2.3", "9/" }
    for _, text in ipairs(slips) do
      local bytes, message, code = budget.bytes(1000, text)
      assert.is_nil(bytes)
      assert.equal("usage", code)
      assert.truthy(message:find("'" .. text .. "'", 1, true), message)
    end
    assert.has_error(function() budget.bytes(-1, "binary") end)
    assert.has_error(function() budget.bytes(1.5, "binary") end)
  end)

  it("judges both gates; equality passes", function()
    local gates = budget.gates(344064, 2097152, "binary")
    assert.same({ id = "quantized_size", limit = 344064, over = 0, ok = true }, gates[2])
    gates = budget.gates(344065, 2097152, "binary")
    assert.same({ id = "quantized_size", limit = 344064, over = 1, ok = false }, gates[2])
    assert.is_true(gates[1].ok)
    assert.is_false(budget.gates(4429687501, 432000000000, "binary")[1].ok)
  end)
end)
