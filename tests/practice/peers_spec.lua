-- Peers judge: the mode says who may, and what they agree on.
local task_store = require "bittern.practice.task_store"

local practice = require "tests.practice.support"

local alice, bob, validator = practice.alice, practice.bob, practice.validator

describe("peer evaluation", function()
  local server, submission

  before_each(function()
    server = practice.coordinator()
    assert(task_store.create(server.db, practice.task { slug = "judged",
      competition_mode = "peer_evaluation", min_peer_evaluations = 2 }, practice.NOW))
    local claim = server:claim(alice, server:task("judged"))
    local status
    status, submission = server:call("POST", "/api/v1/submissions",
      { key = alice, body = practice.submission(claim) })
    assert.equal(201, status)
  end)
  after_each(function() server.db:close() end)

  local function path(what) return "/api/v1/submissions/" .. submission.id .. "/" .. what end

  local function judge(who, verdict, metrics)
    return server:call("POST", path("peer-evaluate"),
      { key = who, body = { status = verdict, observed_metrics = metrics or {}, notes = "ran" } })
  end

  it("makes the median of enough verdicts the result, and then is final", function()
    local status, evaluation = judge(bob, "accepted", { heldout_ppl = 4.0 })
    assert.equal(201, status)
    assert.same({ bob:address(), submission.id, "ran" },
      { evaluation.evaluator_hotkey, evaluation.submission_id, evaluation.notes })
    local _, consensus = server:call("GET", path("peer-consensus"))
    assert.same({ "pending", 1, 0 },
      { consensus.status, consensus.accepted_count, consensus.rejected_count })
    assert.equal(201, (judge(validator, "accepted", { heldout_ppl = 6.0 })))
    _, consensus = server:call("GET", path("peer-consensus"))
    assert.same({ "accepted", 5.0 }, { consensus.status, consensus.observed_metrics.heldout_ppl })
    local _, detail = server:call("GET", path("detail"), { key = bob })
    assert.same({ "accepted", 5.0, 2, "accepted" }, { detail.submission.status,
      detail.submission.observed_metrics.heldout_ppl, #detail.peer_evaluations,
      detail.peer_consensus.status })
    local _, best = server:call("GET",
      "/api/v1/tasks/" .. server:task("judged").id .. "/best")
    assert.equal(submission.id, best.submission_id)
    local refused, final = judge(practice.carol, "rejected")
    assert.same({ 409, "peer consensus is final: accepted" }, { refused, final.detail })
  end)

  it("keeps to what the mode and the contract refuse", function()
    local status, refusal = judge(alice, "accepted", { heldout_ppl = 1.0 })
    assert.same({ 409, "one's own submission is for others to judge" }, { status, refusal.detail })
    assert.equal(400, (judge(bob, "accepted", { other = 1.0 })))
    assert.equal(422, (judge(bob, "maybe")))
    assert.equal(201, (judge(bob, "error")))
    assert.equal(201, (judge(bob, "rejected")))
    assert.equal(409, (judge(bob, "rejected")))
    assert.equal(401, (server:call("POST", path("peer-evaluate"), { body = { status = "error",
      observed_metrics = {} } })))
    assert.equal(404, (server:call("GET", "/api/v1/submissions/none/peer-consensus")))
  end)

  it("gives validators no jobs, and their tasks no peers", function()
    local _, found = server:call("POST", "/api/v1/validator/submissions/scan",
      { key = validator })
    assert.same({}, found.jobs)
    local verdict = { status = "rejected", observed_metrics = {} }
    assert.equal(409, (server:call("POST", path("verify"), { key = validator, body = verdict })))
    local claim = server:claim(alice, server:task("tiny-binary-frontier"))
    local _, other = server:call("POST", "/api/v1/submissions",
      { key = alice, body = practice.submission(claim) })
    local one = "/api/v1/submissions/" .. other.id
    assert.equal(409, (server:call("POST", one .. "/peer-evaluate", { key = bob, body = verdict })))
    assert.equal(503, (server:call("POST", one .. "/verify", { key = validator, body = verdict })))
  end)

  it("lists verdicts by submission, judge and status", function()
    judge(bob, "rejected")
    judge(validator, "error")
    local function count(query)
      local _, list = server:call("GET", "/api/v1/peer-evaluations", { query = query })
      return #list
    end
    assert.equal(2, count("submission_id=" .. submission.id))
    assert.equal(1, count("evaluator_hotkey=" .. bob:address()))
    assert.equal(1, count("submission_id=" .. submission.id .. "&status=error"))
    assert.equal(0, count("submission_id=none"))
  end)
end)
