-- What documents show at a prompt does what they say.
local fs = require "core.fs"
local sessions = require "tests.sessions"
local support = require "tests.support"

describe("a session", function()
  local function run(...)
    local _, complaints = sessions.run("```console\n" .. table.concat({ ... }, "\n") .. "\n```\n")
    return table.concat(complaints, "\n")
  end

  it("is one shell, whose output may be cut short", function()
    assert.equal("", run("$ x=1", "$ echo a $x; seq 5", "a 1", "...", "5"))
    assert.equal("", run("$ echo twenty", "tw...y"))
  end)

  it("is wrong where output or status is another", function()
    assert.matches("is to print", run("$ echo a", "b"))
    assert.matches("is to print", run("$ seq 3", "1", "2"))
    assert.matches("exits with 3, not 0", run "$ (exit 3)")
    assert.equal("", run "$ (exit 3)  # exit 3")
    assert.matches("exits with nil", run("$ exit 0", "$ echo never"))
  end)
end)

describe("what is shown in", function()
  for _, path in ipairs(support.documents()) do
    local text = assert(fs.read(support.root .. "/" .. path))
    if #sessions.steps(text) > 0 then
      it(path .. " happens", function()
        local count, complaints = sessions.run(text)
        assert.is_true(count > 0)
        assert.equal("", table.concat(complaints, "\n\n"))
      end)
    end
  end
end)
