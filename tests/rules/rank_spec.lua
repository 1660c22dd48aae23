local rank = require "bittern.rules.rank"

local TASK = { metric_name = "heldout_ppl", metric_direction = "minimize" }

local function result(value, size)
  local metrics = { heldout_ppl = value, accuracy = value }
  return { observed_metrics = metrics, artifact_size_bytes = size }
end

local function better(value, size, task)
  return (rank.accept(result(value, size), result(254.69, 1000), task or TASK))
end

describe("bittern.rules.rank", function()
  it("takes the first result, and none without a finite metric", function()
    assert.is_true(rank.accept(result(5), nil, TASK))
    assert.is_false((rank.accept({}, nil, TASK)))
    assert.is_false((rank.accept(result(math.huge), nil, TASK)))
    assert.is_false((rank.accept(result(0 / 0), nil, TASK)))
    assert.is_false((rank.accept(result(0), nil, TASK)))
  end)

  it("needs more than 0.02 nats, as the contract computes it", function()
    assert.is_true(better(249.64, 1000))
    assert.is_false(better(249.66, 1000))
    assert.is_false(better(260, 1))
  end)

  it("lets the smaller artifact win inside the band, on both sides of it", function()
    assert.is_true(better(254.69, 999))
    assert.is_true(better(257, 999))
    assert.is_true(better(250, 999))
    assert.is_false(better(254.69, 1000))
    assert.is_false(better(250, nil))
  end)

  it("knows both directions, and metrics without a band", function()
    local up = { metric_name = "heldout_ppl", metric_direction = "maximize" }
    assert.is_true(better(260, 1000, up))
    assert.is_false(better(249, 1, up))
    local accuracy = { metric_name = "accuracy", metric_direction = "maximize" }
    assert.is_true(better(254.7, 1000, accuracy))
    assert.is_false(better(254.68, 1, accuracy))
    assert.is_true(better(254.69, 999, accuracy))
  end)

  it("takes its unknowns as arguments", function()
    local function with(args, value, size, anchor)
      local best = result(100, 1000)
      best.anchor = anchor and result(anchor)
      return (rank.accept(result(value, size), best, TASK, args))
    end
    local wide = math.log(100) - math.log(80)
    assert.is_false(with({ band = wide }, 80, 1000))
    assert.is_true(with({ band = wide, edge = "outside" }, 80, 1000))
    assert.is_true(with({}, 101, 999))
    assert.is_false(with({ sides = "better" }, 101, 999))
    assert.is_true(with({ sides = "better" }, 99, 999))
    assert.is_true(with({}, 101.5, 999, 99))
    assert.is_false(with({ anchor = "first" }, 101.5, 999, 99))
    assert.is_false(with({ anchor = "first" }, 97.5, 1000, 99))
    assert.is_false(with({ size = "accuracy" }, 101, 1))
    assert.is_true(with({ size = "accuracy" }, 99, 2000))
  end)

  it("wants both metrics of a pareto task, and no step back in either", function()
    local pareto = { metric_name = "accuracy", metric_direction = "maximize",
      ranking_mode = "pareto", secondary_metric_name = "kb",
      secondary_metric_direction = "minimize" }
    local function pair(accuracy, kb) return { observed_metrics = { accuracy = accuracy, kb = kb } }
    end
    local function wins(accuracy, kb)
      return (rank.accept(pair(accuracy, kb), pair(10, 5), pareto))
    end
    assert.is_true(wins(11, 5))
    assert.is_true(wins(10, 4))
    assert.is_true(wins(11, 4))
    assert.is_false(wins(10, 5))
    assert.is_false(wins(11, 6))
    assert.is_false(wins(9, 1))
    assert.is_false(wins(11, nil))
    assert.is_false(wins(11, math.huge))
    assert.is_true(rank.accept(pair(1, 1), nil, pareto))
    assert.is_true(rank.accept(pair(1, 1), pair(10, nil), pareto))
    pareto.secondary_metric_direction = nil
    assert.matches("without a secondary", select(2, rank.accept(pair(1, 1), nil, pareto)))
  end)

  it("says why", function()
    local _, reason = rank.accept(result(254, 900), result(254.69, 1000), TASK)
    assert.equal("heldout_ppl is inside the best's band and the artifact is 100 bytes smaller",
      reason)
  end)
end)
