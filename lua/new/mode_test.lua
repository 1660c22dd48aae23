-- Test of mode NAME, from a file to an accepted submission: `bittern run tests/NAME.lua`.
local rehearsal = require "bittern.practice.rehearsal"
local report = require "bittern.report"

-- The folder that holds modes/, tasks/ and this file's tests/.
local here = debug.getinfo(1, "S").source:match("^@(.*)/[^/]+$") or "."
local folder = here .. "/.."

local practice <close> = assert(rehearsal.start {
  root = folder, task = folder .. "/tasks/NAME/task.json",
  repository = folder .. "/tasks/NAME/repo",
})

-- A submission whose benchmark will measure this score.
local function submission(score, summary)
  return {
    files = { ["settings.sh"] = ("score=%s\n"):format(score) },
    fields = { summary = summary or "a better setting", claimed_metrics = { score = score } },
  }
end

-- The mode's rules hold at the coordinator, too.
local refused, why = practice:submit(submission(2.0, "short"))
assert(not refused and why:find("says too little", 1, true), why)

-- The validator measures, the mode says who is best.
local first, notes = assert(practice:try(submission(2.0)))
assert(first.status == "accepted" and practice:best() == first.id, notes)

local worse = assert(practice:try(submission(1.5)))
assert(worse.status == "accepted" and practice:best() == first.id)

local better = assert(practice:try(submission(3.0)))
assert(practice:best() == better.id)

report.say "mode NAME: all as it should be"
