-- A practice coordinator that has seen something, for specs of what shows it.
local json = require "bittern.json"
local practice = require "tests.practice.support"

local M = {}

M.HOSTILE = [[<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>]]

--- A coordinator with a submission of each fate, some of them hostile.
-- @return coordinator of tests.practice.support, record of its first task, ids of submissions
function M.coordinator()
  local server = practice.coordinator()
  local task = server:task "tiny-binary-frontier"
  local ids = {}
  local function submit(who, extra, verdict, value)
    server.now = server.now + 7000
    local claim = server:claim(who, task)
    local status, submission = server:call("POST", "/api/v1/submissions",
      { key = who, body = practice.submission(claim, extra) })
    assert(status == 201, json.encode(submission))
    ids[#ids + 1] = submission.id
    if not verdict then return end
    server.now = server.now + 60
    local _, jobs = server:call("POST", "/api/v1/validator/submissions/scan",
      { key = practice.validator })
    local done = server:call("POST", "/api/v1/validator/jobs/" .. jobs.jobs[1].job_id .. "/result",
      { key = practice.validator, body = { submission_id = submission.id, status = verdict,
        observed_metrics = { heldout_ppl = value }, notes = "notes " .. M.HOSTILE } })
    assert(done == 200)
  end
  submit(practice.alice, { artifact_sha256 = ("aa"):rep(32) }, "accepted", 4.25)
  submit(practice.bob, { artifact_sha256 = ("bb"):rep(32) }, "accepted", 3.5)
  submit(practice.alice, { artifact_sha256 = ("cc"):rep(32) }, "rejected", 9.75)
  submit(practice.bob, { artifact_sha256 = ("dd"):rep(32), summary = M.HOSTILE, patch = M.HOSTILE,
    execution_log = "</pre>" .. M.HOSTILE }, "accepted", 3.125)
  submit(practice.carol, { artifact_sha256 = ("ee"):rep(32) })
  return server, task, ids
end

return M
