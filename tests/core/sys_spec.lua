local sys = require "core.sys"

describe("core.sys", function()
  it("knows the time, and a clock that only grows", function()
    assert.is_true(math.abs(sys.time() - os.time()) < 2)
    local before = sys.clock()
    assert.is_true(sys.sleep(0.02))
    assert.is_true(sys.clock() - before >= 0.02)
  end)

  it("gives as many random bytes as asked for", function()
    assert.equal(32, #sys.random(32))
    assert.are_not.equal(sys.random(16), sys.random(16))
    assert.has_error(function() sys.random(0) end)
    assert.has_error(function() sys.random(257) end)
  end)

  it("tells facts of the machine and the process", function()
    assert.is_true(sys.cores() >= 1)
    assert.is_true(sys.pid() > 0)
    local fs = require "core.fs"
    local path = require("tests.support").folder() .. "/mine"
    assert(fs.write(path, ""))
    assert.equal(fs.stat(path).uid, sys.uid())
    assert.is_true(sys.peak_memory() > 1 << 20)
    assert.matches("/bittern$", sys.exe())
    assert.is_false(sys.interrupted())
    assert.has_error(function() sys.isatty(-1) end)
  end)
end)
