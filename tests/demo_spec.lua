local process = require "core.process"

local http = require "bittern.http"
local support = require "tests.support"

describe("make demo", function()
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
