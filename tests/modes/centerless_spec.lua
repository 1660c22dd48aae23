local modes = require "tests.modes.support"
local script = require "bittern.script"

local ME <const> = "5Me"

local function idea(id, hotkey, status, text)
  return { id = id, miner_hotkey = hotkey, status = status, proposed_idea = text or "an idea" }
end

local function reasons(extra, submissions)
  local fields = { proposed_idea = "rows" }
  for key, value in pairs(extra or {}) do fields[key] = value end
  local world = { hotkey = ME, submissions = submissions }
  return modes.reasons("centerless", modes.submission(fields), world)
end

local function against(id, submissions)
  return reasons({ implemented_submission_id = id }, submissions).implemented_submission_id
end

describe("mode centerless", function()
  it("passes the first idea of a task, and one beside only one's own", function()
    assert.same({}, reasons({}, {}))
    assert.same({}, reasons({}, { idea("s1", ME, "accepted") }))
    assert.same({}, reasons({}, { idea("s1", "5Other", "accepted", "  ") }))
  end)

  it("wants an idea in words", function()
    assert.matches("blank", reasons({ proposed_idea = " \n" }, {}).proposed_idea)
    assert.matches("blank", reasons({ proposed_idea = 7 }, {}).proposed_idea)
  end)

  it("wants credit where another miner's idea exists, and names one", function()
    local list = { idea("s1", "5Other", "rejected"), idea("s2", "5Third", "accepted") }
    assert.matches("is missing.*such as s2", reasons({}, list).implemented_submission_id)
    assert.matches("is missing.*such as s2", against(" ", list))
    assert.is_nil(against("s1", list))
  end)

  it("takes only another miner's idea-bearing submission of this task", function()
    local list = { idea("s1", ME, "accepted"), idea("s2", "5Other", "accepted", "") }
    assert.matches("your own", against("s1", list))
    assert.matches("without an idea", against("s2", list))
    assert.matches("no submission of this task: s9", against("s9", list))
  end)

  it("does not pass when the list is not there", function()
    assert.matches("not available", reasons({}, nil).implemented_submission_id)
  end)

  it("offers accepted ideas first, then the server's order", function()
    local mode = assert(script.find("mode", "centerless"))
    local ids = {}
    for i, submission in ipairs(mode.candidates({
      idea("s1", "5A", "pending_verification"), idea("s2", ME, "accepted"),
      idea("s3", "5B", "accepted"), idea("s4", "5C", "rejected"), idea("s5", "5D", "accepted"),
      { id = "s6", miner_hotkey = "5E" },
    }, ME)) do
      ids[i] = submission.id
    end
    assert.same({ "s3", "s5", "s1", "s4" }, ids)
  end)
end)
