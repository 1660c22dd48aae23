-- Judging what others submitted: measured here, never copied, sent once.
local fs = require "core.fs"

local coordinator = require "bittern.coordinator"
local json = require "bittern.json"

local mining = require "tests.mining"
local practice = require "tests.practice.support"
local repository = require "tests.repository"
local support = require "tests.support"

local PATCH <const> = "diff --git a/train.py b/train.py\n--- a/train.py\n+++ b/train.py\n"
  .. "@@ -1 +1 @@\n-one\n+%s\n"
local none <const> = { artifact_uri = "", artifact_sha256 = "", artifact_size_bytes = "" }

describe("bittern peer-evaluate", function()
  local miner, alice, task, repo

  before_each(function()
    repo = repository.make { ["train.py"] = "one\n" }
    local file = support.folder() .. "/task.json"
    assert(fs.write(file, assert(json.encode(practice.task {
      slug = "judged", competition_mode = "peer_evaluation", repository = repo.url,
      min_peer_evaluations = 1, metric_name = "kb",
      benchmark_command = "grep -q bad train.py && echo validator_rejection=bad && exit 1; "
        .. "grep -q broken train.py && exit 1; echo kb=4.5",
    }))))
    miner = mining.start { "--task", file }
    alice = assert(coordinator.new { url = miner.url, key = practice.alice })
    task = assert(alice:find("judged"))
  end)
  after_each(function() miner:stop() end)

  local function submit(client, word)
    local extra = { patch = PATCH:format(word), claimed_metrics = { kb = 1.0 },
      base_ref = repo.commit }
    for name, value in pairs(none) do extra[name] = value end
    return assert(client:submit(practice.submission(assert(client:claim(task, "x")), extra)))
  end

  local function judge(...)
    return miner:run { "peer-evaluate", "judged", "--sandbox", "none", ... }
  end

  it("sends what was measured, never what is claimed", function()
    local submission = submit(alice, "two")
    local listed = judge("--list")
    assert.truthy(listed.stdout:find(submission.id, 1, true), listed.stderr)
    local done = judge("--json")
    assert.equal(0, done.status, done.stderr)
    local result = json.decode(done.stdout)
    assert.same({ submission.id, "accepted", 4.5, 1.0 }, { result.submission_id, result.status,
      result.evaluation.observed_metrics.kb, result.claimed_metrics.kb })
    assert.matches("measured 4.5; the miner claims 1, which is not used", done.stderr, 1, true)
    assert.equal(4.5, alice:best(task).metric_value)
    assert.equal(0, judge("--list").status)
    assert.equal(7, judge().status)
  end)

  it("rejects what the benchmark rejects, and says nothing of what fails", function()
    local bad = submit(alice, "bad")
    local done = judge("--submission", bad.id)
    assert.equal(0, done.status, done.stderr)
    assert.equal("rejected", alice:submission(bad.id).status)
    local broken = submit(alice, "broken")
    done = judge("--submission", broken.id)
    assert.equal(1, done.status)
    assert.matches("an error is no verdict, nothing was sent", done.stderr)
    assert.same({}, alice:peer_evaluations { submission_id = broken.id })
  end)

  it("with --dry-run measures, prints the exact request and sends nothing", function()
    local submission = submit(alice, "two")
    local done = judge("--dry-run")
    assert.equal(0, done.status, done.stderr)
    assert.matches("POST " .. miner.url .. "/api/v1/submissions/" .. submission.id
      .. "/peer-evaluate\n", done.stdout, 1, true)
    assert.matches('"observed_metrics":{"kb":4.5},"status":"accepted"}', done.stdout, 1, true)
    assert.same({}, alice:peer_evaluations { submission_id = submission.id })
  end)

  it("refuses one's own, what is decided, and tasks of another mode", function()
    local submission = submit(alice, "two")
    local bob = assert(coordinator.new { url = miner.url, key = practice.bob })
    assert(bob:peer_evaluate(submission.id, { status = "rejected", observed_metrics = {} }))
    local late = judge("--submission", submission.id)
    assert.equal(9, late.status)
    assert.matches("it is decided: rejected", late.stderr)
    submit(alice, "two")
    assert(fs.write(miner.home .. "/alice", assert(json.encode { secretSeed = "0x" ..
      ("01"):rep(32) }), { mode = 384 }))
    local own = support.bittern(miner.home, { "--coordinator", miner.url, "peer-evaluate", "judged",
      "--sandbox", "none", "--hotkey-file", miner.home .. "/alice" })
    assert.equal(7, own.status)
    assert.matches("no submission of others waits", own.stderr)
    local other = miner:run { "peer-evaluate", "tiny-binary-frontier" }
    assert.equal(9, other.status)
    assert.matches("not peers\n  next: `bittern tasks` shows the mode", other.stderr, 1, true)
  end)

  it("finds its verdict when the answer is lost", function()
    local submission = submit(alice, "two")
    miner:stop()
    miner:resume { "--fault", "502-after-commit" }
    local done = judge("--submission", submission.id)
    assert.equal(0, done.status, done.stderr)
    assert.matches("found after its answer was lost", done.stderr)
    assert.equal(1, #alice:peer_evaluations { submission_id = submission.id })
  end)
end)

describe("bittern peer-evaluate --text", function()
  local BINARY <const> = "tiny-binary-frontier"
  local miner, alice, task

  before_each(function()
    miner = mining.start()
    miner:ask [[UPDATE task SET record = json_set(record, '$.competition_mode', 'peer_evaluation',
      '$.min_peer_evaluations', 1)]]
    alice = assert(coordinator.new { url = miner.url, key = practice.alice })
    task = assert(alice:find(BINARY))
  end)
  after_each(function() miner:stop() end)

  -- A submission of what is left of the shipped model, with a perplexity that nobody measured.
  local function submit(...)
    local file = miner.home .. "/a.zip"
    fs.remove(file)
    local made = support.bittern(miner.home, { "compress", support.model, "--out", file, ... })
    assert.equal(0, made.status, made.stderr)
    local published = json.decode(miner:run({ "publish", file, "--to", "practice", "--json" })
      .stdout)
    return assert(alice:submit(practice.submission(assert(alice:claim(task, "x")), {
      claimed_metrics = { heldout_ppl = 1.5 }, artifact_uri = published.url,
      artifact_sha256 = published.sha256, artifact_size_bytes = published.size })))
  end

  local function judge(...)
    return miner:run { "peer-evaluate", BINARY, "--text", miner.home .. "/text", "--json", ... }
  end

  it("scores the artifact where its benchmark cannot run, and sends what was measured", function()
    local submission = submit("--budget", "binary")
    local done = judge()
    assert.equal(0, done.status, done.stderr)
    local scored = support.bittern(miner.home, { "eval", miner.home .. "/a.zip", "--text",
      miner.home .. "/text", "--json" })
    local sent = alice:peer_evaluations({ submission_id = submission.id })[1]
    assert.equal(json.decode(scored.stdout).heldout_ppl, sent.observed_metrics.heldout_ppl)
    assert.matches("scored by bittern eval on a text of %d+ tokens, sha256 ", sent.notes)
    assert.equal("accepted", alice:submission(submission.id).status)
  end)

  it("rejects what is over the budget, and tells of what it cannot measure", function()
    local submission = submit("--recipe", "ternary", "--budget", "ternary")
    assert.equal(0, judge().status)
    local sent = alice:peer_evaluations({ submission_id = submission.id })[1]
    assert.matches("over the task's budget by %d+ bytes", sent.notes)
    miner:ask "UPDATE task SET record = json_set(record, '$.metric_name', 'kb')"
    local done = judge()
    assert.same({ 2, "usage" }, { done.status, mining.failure(done).id })
  end)
end)
