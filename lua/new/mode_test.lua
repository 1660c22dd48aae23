-- Tests of mode NAME, from a file to an accepted submission: `bittern test NAME.lua`.
local test = require "bittern.testing"

-- A submission whose benchmark will measure this score.
local function submission(score, summary)
  return {
    files = { ["settings.sh"] = ("score=%s\n"):format(score) },
    fields = { summary = summary or "a better setting", claimed_metrics = { score = score } },
  }
end

describe("mode NAME", function()
  -- A practice coordinator with its validator, and a repository made of the task's folder.
  local practice
  setup(function()
    practice = test.practice { task = "tasks/NAME/task.json", repository = "tasks/NAME/repo" }
  end)

  it("refuses a summary that says too little, at the coordinator too", function()
    local refused, why = practice:submit(submission(2.0, "short"))
    assert.is_nil(refused)
    assert.matches("says too little", why)
  end)

  it("takes the first result as best, and then only better ones", function()
    local first, notes = assert(practice:try(submission(2.0)))
    assert.equal("accepted", first.status, notes)
    assert.equal(first.id, practice:best())
    assert.equal("accepted", assert(practice:try(submission(1.5))).status)
    assert.equal(first.id, practice:best())
    local better = assert(practice:try(submission(3.0)))
    assert.equal(better.id, practice:best())
  end)
end)
