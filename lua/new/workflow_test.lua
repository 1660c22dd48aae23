-- Tests of workflow NAME: `bittern test NAME.lua`.
local test = require "bittern.testing"

describe("workflow NAME", function()
  it("compresses for a practice task, within its budget", function()
    local done = test.bittern { "mine", "tiny-binary-frontier", "--workflow", "NAME",
      "--model", test.model, "--text", test.text, "--publish", "practice", "--json" }
    assert.equal(0, done.status, done.stderr)
    local compress = done.json.steps.compress
    assert.is_true(compress.bytes <= compress.budget)
  end)

  it("says which step failed, and why", function()
    local done = test.bittern { "mine", "no-such-task", "--workflow", "NAME",
      "--model", test.model, "--text", test.text, "--publish", "practice" }
    assert.equal(7, done.status)
    assert.matches("no%-such%-task", done.stderr)
  end)
end)
