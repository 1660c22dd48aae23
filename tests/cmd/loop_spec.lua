local fs = require "core.fs"
local sys = require "core.sys"

local json = require "bittern.json"
local mining = require "tests.mining"
local support = require "tests.support"

describe("bittern loop", function()
  local function loop(home, ...)
    return support.bittern(home, { "loop", "--interval", "0", ... })
  end

  it("runs a command with the number of its cycle, and tells each end", function()
    local home = support.folder()
    assert(fs.write(home .. "/say.lua", 'require("bittern.report").out("cycle " .. (...))'))
    local done = loop(home, "--cycles", "2", "--", "run", home .. "/say.lua", "{cycle}")
    assert.same({ 0, "cycle 1\ncycle 2\n" }, { done.status, done.stdout })
    assert.matches("cycle 2: exit 0 .*the loop ends: all cycles are done", done.stderr)
  end)

  it("stops at once where the stake is missing, with the advice", function()
    local miner = mining.start { "--fault", "no-stake" }
    local done = miner:run { "loop", "--interval", "0", "--", "claim", "tiny-binary-frontier" }
    miner:stop()
    assert.equal(4, done.status, done.stderr)
    assert.matches("do not rotate keys and do not retry", done.stderr)
    assert.equal(1, select(2, done.stderr:gsub("cycle %d+: exit", "")))
  end)

  it("ends a cycle with all its children when its time is over", function()
    local home = support.folder()
    assert(fs.write(home .. "/hang.lua", ([[
      local child = assert(require("core.process").spawn { argv = { "/bin/sleep", "60" } })
      require("core.fs").write("%s/pid", tostring(child:pid()))
      require("core.sys").sleep(60)
    ]]):format(home)))
    local started = sys.clock()
    local done = loop(home, "--json", "--cycles", "1", "--cycle-time", "0.5", "--", "run",
      home .. "/hang.lua")
    assert.is_true(sys.clock() - started < 10)
    assert.equal(1, done.status, done.stderr)
    assert.matches("its time is over", done.stderr)
    assert.equal(1, json.decode(done.stdout:match("[^\n]*\n$")).exit)
    local pid = assert(fs.read(home .. "/pid"))
    assert.equal("", fs.read("/proc/" .. pid .. "/cmdline") or "")
  end)

  it("refuses a placeholder that it does not know before anything runs", function()
    local done = loop(support.folder(), "--json", "--", "hash", "{cycel}")
    assert.equal(2, done.status)
    assert.matches("did you mean {cycle}", done.stdout, 1, true)
  end)
end)
