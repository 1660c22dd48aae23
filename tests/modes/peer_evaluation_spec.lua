local modes = require "tests.modes.support"
local script = require "bittern.script"

local ME <const> = "5Me"
local TASK = { metric_name = "heldout_ppl", secondary_metric_name = "kb", min_peer_evaluations = 3 }

local function said(hotkey, status, ppl, kb)
  return { evaluator_hotkey = hotkey, status = status,
    observed_metrics = { heldout_ppl = ppl, kb = kb } }
end

describe("mode peer_evaluation", function()
  local peers = assert(script.find("mode", "peer_evaluation")).peers

  local function check(evaluation, evaluations, owner)
    return peers.check(evaluation, { miner_hotkey = owner or "5Other" },
      { hotkey = ME, evaluations = evaluations or {}, task = TASK })
  end

  it("asks for what every submission needs", function()
    assert.same({}, modes.reasons("peer_evaluation", modes.submission()))
    assert.is_string(modes.reasons("peer_evaluation", modes.submission { summary = "" }).summary)
  end)

  it("lets nobody judge their own, or twice; an error is no verdict", function()
    assert.is_true(check({}))
    assert.matches("one's own", select(2, check({}, {}, ME)))
    assert.matches("judged it before: rejected", select(2, check({}, { said(ME, "rejected") })))
    assert.is_true(check({}, { said(ME, "error"), said("5A", "accepted", 4) }))
  end)

  it("wants a number where it says accepted", function()
    assert.is_true(check(said(ME, "accepted", 4.5)))
    assert.matches("finite heldout_ppl", select(2, check(said(ME, "accepted"))))
    assert.matches("finite heldout_ppl", select(2, check(said(ME, "accepted", 0 / 0))))
    assert.is_true(check(said(ME, "rejected")))
  end)

  it("agrees at the task's number of equal verdicts, on the median", function()
    local list = { said("5A", "accepted", 9, 1), said("5B", "accepted", 4, 2),
      said("5C", "rejected"), said("5D", "error") }
    assert.is_nil(peers.consensus(list, TASK))
    list[5] = said("5E", "accepted", 5, 3)
    assert.same({ status = "accepted", observed_metrics = { heldout_ppl = 5, kb = 2 } },
      peers.consensus(list, TASK))
    local two = { said("5A", "accepted", 4), said("5B", "accepted", 6) }
    assert.same({ status = "accepted", observed_metrics = { heldout_ppl = 5 } },
      peers.consensus(two, { metric_name = "heldout_ppl" }))
  end)

  it("hears each hotkey once", function()
    local list = { said("5A", "rejected"), said("5A", "rejected"), said("5A", "accepted", 1) }
    local two = { metric_name = "heldout_ppl", min_peer_evaluations = 2 }
    assert.is_nil(peers.consensus(list, two))
    list[4] = said("5B", "rejected")
    assert.same({ status = "rejected" }, peers.consensus(list, two))
  end)
end)
