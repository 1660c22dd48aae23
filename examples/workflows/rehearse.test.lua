-- Tests of workflow rehearse: `bittern test examples/workflows/rehearse.lua`.
local test = require "bittern.testing"

describe("workflow rehearse", function()
  it("compresses and scores, and sends nothing", function()
    local done = test.bittern { "mine", "tiny-binary-frontier", "--workflow", "rehearse",
      "--model", test.model, "--text", test.text, "--publish", "practice", "--json" }
    assert.equal(0, done.status, done.stderr)
    local steps = done.json.steps
    assert.is_true(steps.compress.bytes <= steps.compress.budget)
    assert.is_true(steps.eval.heldout_ppl > 1)
    assert.is_nil(steps.submit)
  end)
end)
