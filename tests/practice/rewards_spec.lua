-- What ideas earn: the mode says how much, when the best builds on somebody else's.
local practice = require "tests.practice.support"

local alice, bob = practice.alice, practice.bob

describe("idea rewards", function()
  local server

  before_each(function() server = practice.coordinator() end)
  after_each(function() server.db:close() end)

  local function accepted(who, ppl, extra)
    local task = server:task("tiny-ternary-frontier")
    local _, record = server:call("POST", "/api/v1/submissions",
      { key = who, body = practice.submission(server:claim(who, task), extra) })
    local _, job = server:call("POST", "/api/v1/validator/jobs/claim", { key = practice.validator })
    server:call("POST", "/api/v1/validator/jobs/" .. job.job_id .. "/result", {
      key = practice.validator, body = { submission_id = record.id, status = "accepted",
        observed_metrics = { heldout_ppl = ppl }, replay_log = "as it ran" },
    })
    return record
  end

  it("go to proposer and implementer of a best, and into the snapshot", function()
    local first = accepted(alice, 6.0, { proposed_idea = "rescue rows" })
    local worse = { proposed_idea = "x", implemented_submission_id = first.id }
    accepted(bob, 7.0, worse)
    local better = accepted(bob, 5.0, worse)
    local _, rewards = server:call("GET", "/api/v1/idea-rewards")
    assert.equal(1, #rewards)
    assert.same({ better.id, first.id, alice:address(), bob:address(), 0.5, 0.5 },
      { rewards[1].submission_id, rewards[1].implemented_submission_id,
        rewards[1].proposer_hotkey, rewards[1].implementer_hotkey, rewards[1].proposer_score,
        rewards[1].implementer_score })
    local _, none = server:call("GET", "/api/v1/idea-rewards",
      { query = "proposer_hotkey=" .. bob:address() })
    assert.same({}, none)
    local _, snapshot = server:call("GET", "/api/v1/reward-snapshot")
    assert.same({ { hotkey = bob:address(), score = 3.5 },
      { hotkey = alice:address(), score = 1.5 } }, snapshot.competitions[2].miners)
    local _, detail = server:call("GET", "/api/v1/submissions/" .. better.id .. "/detail",
      { key = alice })
    assert.same(rewards, detail.idea_rewards)
  end)

  it("stand beside a replay log that only the admin reads", function()
    local record = accepted(alice, 6.0, { proposed_idea = "rescue rows" })
    local path = "/api/v1/submissions/" .. record.id .. "/replay.log"
    assert.equal(401, (server:call("GET", path, { key = alice })))
    local admin = { headers = { ["x-admin-token"] = practice.ADMIN } }
    local status, text = server:call("GET", path, admin)
    assert.same({ 200, "as it ran" }, { status, text })
    assert.equal(404, (server:call("GET", "/api/v1/submissions/none/replay.log", admin)))
  end)

  it("keep every submission in a rule's sight while the server runs", function()
    local first = accepted(alice, 6.0, { proposed_idea = "rescue rows" })
    local task = server:task("tiny-ternary-frontier")
    local function try(extra)
      local claim = server:claim(bob, task)
      return server:call("POST", "/api/v1/submissions",
        { key = bob, body = practice.submission(claim, extra) })
    end
    local status, refusal = try { proposed_idea = "x" }
    assert.equal(400, status)
    assert.truthy(refusal.detail:find(first.id, 1, true))
    local second = accepted(alice, 7.0, { proposed_idea = "another" })
    assert.equal(201, (try { proposed_idea = "x", implemented_submission_id = second.id }))
    assert.equal(400, (try { proposed_idea = "x", implemented_submission_id = "none" }))
  end)
end)
