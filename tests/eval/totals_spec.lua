local totals = require "bittern.eval.totals"

describe("bittern.eval.totals", function()
  it("divides once, over all targets", function()
    local sums = totals.new()
    sums:add(10, 2)
    sums:add(1, 1)
    sums:add(4, 4)
    assert.equal(15 / 7, sums:mean())
    assert.equal(3, sums.documents)
  end)

  -- Residuals 10 - 2m, 1 - m and 4 - 4m of m = 15/7; 3/2 is n / (n - 1).
  it("takes documents for what is sampled", function()
    local sums, m = totals.new(), 15 / 7
    sums:add(10, 2)
    assert.is_nil(sums:standard_error())
    sums:add(1, 1)
    sums:add(4, 4)
    local squares = (10 - 2 * m) ^ 2 + (1 - m) ^ 2 + (4 - 4 * m) ^ 2
    assert.near(math.sqrt(1.5 * squares) / 7, sums:standard_error(), 1e-12)
  end)

  it("is certain of documents that are all alike", function()
    local sums = totals.new()
    for targets = 1, 5 do sums:add(3 * targets, targets) end
    assert.near(0, sums:standard_error(), 1e-7)
  end)
end)
