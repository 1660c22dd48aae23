local fs = require "core.fs"
local process = require "core.process"

local http = require "bittern.http"
local support = require "tests.support"

describe("make demo", function()
  it("exits 1 when a task's submission is not accepted, and says why in its table", function()
    local source = assert(fs.read(support.root .. "/examples/demo.lua"))
    local folder = support.folder()
    local changed, count = source:gsub('base = "b1"', 'base = "t5"')
    changed, count = changed:gsub('  { slug = "tiny%-ternary[^\n]*\n', ""), count
    assert.equal(1, count)
    assert(fs.write(folder .. "/demo.lua", changed))
    local done = support.bittern(support.folder(), { "run", folder .. "/demo.lua" },
      { env = { TMPDIR = folder } })
    assert.equal(1, done.status, done.stderr)
    assert.matches("tiny%-binary%-frontier +.*bytes over the budget of 398454", done.stdout)
    assert.matches("0 of 1 accepted", done.stderr, 1, true)
    assert.equal("demo.lua\n", support.run({ "ls", "-A", folder }).stdout)
  end)

  it("stopped by Ctrl-C leaves no process and no file behind", function()
    local temporary = support.folder()
    local demo <close> = assert(process.spawn {
      argv = {
        "/bin/sh", "-c", 'exec "$0" "$@" 2>&1', support.bin, "run",
        support.root .. "/examples/demo.lua",
      },
      env = support.environment(support.folder(), { TMPDIR = temporary }), stdout = "pipe",
    })
    local url
    repeat
      local line = assert(demo:read_line(30))
      url = url or line:match("http://127%.0%.0%.1:%d+")
    until line:find("^  claim ")
    assert.equal(200, assert(http.get(url .. "/api/v1/tasks")).status)
    demo:kill(2)
    assert.equal(130, assert(demo:wait(10)).status)
    local answer, _, code = http.get(url .. "/api/v1/tasks")
    assert.is_nil(answer)
    assert.equal("unreachable", code)
    assert.equal("", support.run({ "ls", "-A", temporary }).stdout)
  end)
end)
