-- Tests of command metrics: `bittern test examples/cmd/metrics.lua`.
local test = require "bittern.testing"

describe("bittern metrics", function()
  it("names each practice task's metric, for people and programs", function()
    local told = test.bittern { "metrics" }
    assert.equal(0, told.status, told.stderr)
    assert.matches("tiny%-binary%-frontier heldout_ppl\n", told.stdout)
    local data = test.bittern { "metrics", "--json" }
    assert.equal(2, #data.json.tasks)
    assert.equal("minimize", data.json.tasks[1].direction)
  end)
end)
