local limit = require "core.limit"

local support = require "tests.support"

describe("core.limit", function()
  it("gives back what the function returns or raises", function()
    local function sum(a, b) return a + b, nil, 7 end
    assert.same({ true, 3, nil, 7 }, { limit.call({}, sum, 1, 2) })
    local ok, raised, code = limit.call({}, function() error({ 5 }) end)
    assert.same({ false, { 5 } }, { ok, raised })
    assert.is_nil(code)
  end)

  it("ends what takes too long, even when it catches errors, and says where", function()
    local ok, message, code = limit.call({ seconds = 0.05 }, function()
      while true do pcall(function() while true do end end) end
    end)
    assert.same({ false, "script_limit" }, { ok, code })
    assert.truthy(message:find("limit_spec.lua:16: took longer than 0.05 s", 1, true), message)
    assert.is_true(limit.call({ seconds = 10 }, function() for _ = 1, 1e5 do end end))
  end)

  it("ends what catches errors after a coroutine of it was late", function()
    local ok, _, code = limit.call({ seconds = 0.05 }, function()
      local function spin() for _ = 1, 1e7 do end end
      pcall(coroutine.wrap(function() while true do spin() end end))
      for _ = 1, 20 do pcall(spin) end
      return "it went on"
    end)
    assert.same({ false, "script_limit" }, { ok, code })
  end)

  it("ends what asks for too much memory, and takes the cap away again", function()
    for _, greedy in ipairs {
      function() local s = "x" while true do s = s .. s end end,
      function() return ("x"):rep(1 << 24) end,
    } do
      local ok, message, code = limit.call({ memory = 1 << 20 }, greedy)
      assert.same({ false, "script_limit" }, { ok, code })
      assert.equal("asked for more than 1048576 bytes of memory", message)
    end
    assert.equal(1 << 24, #("x"):rep(1 << 24))
  end)

  it("lets a call be interrupted, and is no limit otherwise", function()
    assert.same({ true, 1, nil, 3, n = 4 }, table.pack(limit.interruptible(function(...)
      return ...
    end, 1, nil, 3)))
    assert.same({ false, "no" }, { limit.interruptible(error, "no", 0) })
    -- Ctrl-C ends the call and not the script; a signal that asks the process to end does both.
    local script = support.folder() .. "/stop.lua"
    assert(require("core.fs").write(script, [[
local name, pid = ..., require("core.sys").pid()
local done, _, code = require("core.limit").interruptible(function()
  require("core.process").run { argv = { "kill", "-" .. name, ("%d"):format(pid) } }
  while true do end
end)
print(done, code)]]))
    local went_on = support.bittern(support.folder(), { "run", script, "INT" })
    assert.same({ 0, "false\tinterrupted\n" }, { went_on.status, went_on.stdout })
    assert.equal(130, support.bittern(support.folder(), { "run", script, "TERM" }).status)
  end)
end)
