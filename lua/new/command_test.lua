-- Tests of command NAME: `bittern test NAME.lua`.
local test = require "bittern.testing"

describe("bittern NAME", function()
  it("tells a practice task's title", function()
    local done = test.bittern { "NAME", "tiny-binary-frontier", "--json" }
    assert.equal(0, done.status, done.stderr)
    assert.equal("tiny-binary-frontier", done.json.slug)
    assert.is_string(done.json.title)
  end)

  it("says that a task is not there", function()
    local done = test.bittern { "NAME", "no-such-task" }
    assert.equal(7, done.status)
    assert.equal("", done.stdout)
  end)
end)
