local fs = require "core.fs"
local sys = require "core.sys"

local command = require "bittern.agent.command"
local support = require "tests.support"

describe("an agent's command", function()
  local folder, said

  before_each(function() folder, said = support.folder(), {} end)

  local function run(line, changes)
    local options = {
      line = line, folder = folder, environment = { BITSOTA_AGENT_WORKSPACE = folder },
      timeout = 20, beat = 0.1, clock = sys.clock,
      say = function(text) said[#said + 1] = text end,
    }
    for key, value in pairs(changes or {}) do options[key] = value end
    return command.run(options)
  end

  it("gives a sign of life now and then, with what it has written", function()
    assert.is_true(run "echo hello; sleep 0.5")
    assert.is_true(#said >= 2)
    assert.matches("^    agent: %d+ s of 20 s, 6 bytes of output$", said[#said])
    assert.equal("hello\n", fs.read(folder .. "/agent.stdout.txt"))
  end)

  it("has no input, its own output files each time, and the environment", function()
    assert.is_true(run 'cat; echo "$BITSOTA_AGENT_WORKSPACE"; pwd')
    assert.is_true(run 'cat; echo "$BITSOTA_AGENT_WORKSPACE"; pwd')
    assert.equal(("%s\n%s\n"):format(folder, folder), fs.read(folder .. "/agent.stdout.txt"))
  end)

  it("is told by its last words, or by its signal", function()
    assert.same({ nil, "the agent ended with exit 7: oops ", "agent" },
      { run "echo oops; exit 7" })
    assert.matches("ended with signal 9", select(2, run "kill -9 $$"))
  end)

  it("that ignores being asked is ended all the same", function()
    local started = sys.clock()
    local ok, message, code = run("trap '' TERM; while :; do sleep 1; done", { timeout = 0.3 })
    assert.same({ nil, "agent" }, { ok, code })
    assert.matches("all its children were ended", message)
    assert.is_true(sys.clock() - started < 10)
  end)

  it("takes words as a shell does", function()
    for _, word in ipairs { "plain/path-1.txt", "two words", "it's", "$HOME `x` \"y\"", "" } do
      local done = support.run { "/bin/sh", "-c", "printf %s " .. command.quoted(word) }
      assert.equal(word, done.stdout)
    end
  end)
end)
