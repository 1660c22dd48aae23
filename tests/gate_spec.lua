local gate = require "bittern.gate"
local report = require "bittern.report"

local function rule(id, ok, reason, extra)
  local one = { id = id, source = "built in", about = "a rule",
    check = function() return ok, reason end }
  for key, value in pairs(extra or {}) do one[key] = value end
  return one
end

describe("bittern.gate", function()
  it("passes only when every rule does", function()
    local judged = gate.judge({ rule("a", true), rule("b", true) }, {}, {}, {})
    assert.equal("PASS", judged.verdict)
    assert.equal(2, #judged.results)
    judged = gate.judge({ rule("a", true), rule("b", nil, "too big") }, {}, {}, {})
    assert.equal("STOP", judged.verdict)
    assert.equal("too big", gate.failures(judged)[1].reason)
    assert.equal("built in", gate.failures(judged)[1].source)
  end)

  it("takes nothing but true for a yes", function()
    for _, answer in ipairs { false, 1, "yes", {} } do
      local judged = gate.judge({ rule("a", answer) }, {}, {}, {})
      assert.equal("STOP", judged.verdict)
      assert.equal("no reason given", judged.results[1].reason)
    end
  end)

  it("tells what it could not judge, and leaves out what only informs", function()
    local judged = gate.judge({ rule("a", "skip", "no file"),
      rule("b", nil, "never asked", { kind = "optional" }) }, {}, {}, {})
    assert.equal("PASS", judged.verdict)
    assert.equal(1, #judged.results)
    assert.is_true(judged.results[1].skipped)
  end)

  it("hands a rule the submission, the task and the world", function()
    local seen
    local one = rule "a"
    one.check = function(...) seen = { ... } return true end
    local submission, task, world = {}, {}, {}
    gate.judge({ one }, submission, task, world)
    assert.equal(submission, seen[1])
    assert.equal(task, seen[2])
    assert.equal(world, seen[3])
  end)

  it("is shown in lines that fit, without control bytes", function()
    local long = ("word "):rep(40) .. "\27[31mred"
    local judged = gate.judge({ rule("short", true), rule("a.longer.name", nil, long),
      rule("c", "skip", "no file") }, {}, {}, {})
    local lines = gate.lines(judged, report.clean)
    for _, line in ipairs(lines) do
      assert.is_true(#line <= 80)
      assert.is_nil(line:find("\27", 1, true))
    end
    assert.equal("STOP  a.longer.name  built in", lines[1])
    assert.equal("STOP: 1 rule of 3 broken, 1 not judged", lines[#lines])
    lines = gate.lines(judged, report.clean, { all = true })
    assert.equal("PASS  short          built in", lines[1])
    judged = gate.judge({ rule("a", true) }, {}, {}, {})
    assert.same({ "PASS: 1 rule kept" }, gate.lines(judged, report.clean))
  end)
end)
