local fs = require "core.fs"
local sys = require "core.sys"

local json = require "bittern.json"
local ledgers = require "bittern.ledger"
local mining = require "tests.mining"
local repository = require "tests.repository"
local serving = require "tests.practice.serving"
local store = require "core.store"
local support = require "tests.support"

local BINARY <const>, TERNARY <const> = "tiny-binary-frontier", "tiny-ternary-frontier"

-- In the order of the workflow; `track` only ends with a verdict.
local steps = {
  "discover", "onboard", "rules", "patch", "claim", "compress", "eval", "pack", "hash", "publish",
  "gate", "submit",
}

describe("mine", function()
  local miner

  after_each(function()
    if miner then miner:stop() end
    miner = nil
  end)

  local function sidecar(run)
    return assert(json.decode(assert(fs.read(
      ("%s/.local/state/bittern/work/%s/submission.json"):format(miner.home, run)))))
  end

  it("goes from a live task to an accepted submission, and tells it again when asked", function()
    miner = mining.start({}, true)
    local done = miner:mine(BINARY, { "--json", "--timeout", "100" })
    assert.equal(0, done.status, done.stderr)
    local result = assert(json.decode(done.stdout))
    assert.equal("accepted", result.outcome)
    assert.equal("accepted", result.steps.track.status)
    assert.is_true(result.steps.hash.bits <= 21 / 16)
    -- Claimed are the numbers that the eval step measured, and nothing else.
    local row = miner:ask("SELECT * FROM submission")[1]
    assert.equal(row.id, result.steps.submit.id)
    local body = assert(json.decode(row.body))
    assert.same(result.steps.eval.packed, body.claimed_metrics)
    assert.equal(result.steps.hash.sha256, body.artifact_sha256)
    assert.equal("", body.patch)
    assert.is_nil(body.proposed_idea)
    assert.equal(body.artifact_uri, sidecar(BINARY .. "-1").artifact_uri)
    local ledger <close> = assert(ledgers.open(miner.home .. "/.local/state/bittern/ledger.db"))
    local made = assert(ledger:scores())[1]
    assert.same({ body.artifact_sha256, "rowcol" }, { made.sha256, made.recipe })
    assert.equal("PASS", result.steps.gate.verdict)
    assert.is_true(#result.steps.gate.results > 10)
    local again = miner:mine(BINARY, { "--json", "--timeout", "100" })
    assert.equal(0, again.status, again.stderr)
    assert.equal(row.id, json.decode(again.stdout).steps.submit.id)
    assert.same({ 1, 1 }, { miner:count() })
    local copy = miner:mine(BINARY, { "--restart" })
    assert.equal(9, copy.status)
    assert.matches("this artifact was submitted before", copy.stderr)
  end)

  it("killed with SIGKILL after every step ends with one claim and one submission", function()
    miner = mining.start()
    for _, step in ipairs(steps) do
      assert.is_true(miner:kill_after(BINARY, step), "no line of step " .. step)
    end
    local done = miner:mine(BINARY)
    assert.equal(8, done.status, done.stderr)
    assert.matches("compress .*%(done before%)", done.stderr)
    assert.matches("submit .*sent before", done.stderr)
    assert.same({ 1, 1 }, { miner:count() })
  end)

  it("killed at any moment ends with one claim and one submission", function()
    miner = mining.start()
    local wait = 0.02
    for _ = 1, 9 do
      local child <close> = miner:watch(TERNARY)
      sys.sleep(wait)
      child:kill(9)
      child:wait(10)
      wait = wait * 1.5
    end
    local done = miner:mine(TERNARY)
    assert.equal(8, done.status, done.stderr)
    assert.same({ 1, 1 }, { miner:count() })
  end)

  -- Kills the moment that the coordinator has stored what was sent, before its answer, which is
  -- lost anyway, can be noted.
  local function kill_when_stored(table_name)
    local db <close> = assert(store.open(miner.home .. "/coordinator/coordinator.db"))
    local child <close> = miner:watch(BINARY)
    local deadline = sys.clock() + 30
    repeat
      local stored = assert(db:query("SELECT count(*) AS n FROM " .. table_name))[1].n
    until stored > 0 or sys.clock() > deadline
    child:kill(9)
    assert.equal(9, child:wait(10).signal)
  end

  it("killed right after its claim was stored, the answer lost, finds that claim", function()
    miner = mining.start { "--fault", "drop-claim-response" }
    kill_when_stored("claim")
    local done = miner:mine(BINARY)
    assert.equal(8, done.status, done.stderr)
    assert.matches("claim .*reused", done.stderr)
    assert.same({ 1, 1 }, { miner:count() })
  end)

  it("killed right after its submission was stored, the answer lost, finds it", function()
    miner = mining.start { "--fault", "drop-submit-response" }
    kill_when_stored("submission")
    local done = miner:mine(BINARY)
    assert.equal(8, done.status, done.stderr)
    assert.matches("submit .*found after its answer was lost", done.stderr)
    assert.same({ 1, 1 }, { miner:count() })
  end)

  it("loses both answers and still makes one claim and one submission", function()
    miner = mining.start { "--fault", "drop-claim-response", "--fault", "drop-submit-response" }
    local done = miner:mine(BINARY)
    assert.equal(8, done.status, done.stderr)
    assert.same({ 1, 1 }, { miner:count() })
  end)

  -- A claim whose submission nobody answered for, and which the coordinator still lists as active.
  local function leave_unanswered(arrived)
    assert.equal(8, miner:mine(BINARY, { "--set", "columns=nothing" }).status)
    local db <close> = assert(store.open(miner.home .. "/.local/state/bittern/ledger.db"))
    assert(db:exec [[UPDATE posts SET state = 'unknown', record_id = NULL, status = NULL,
      run = NULL WHERE kind = 'submission']])
    assert(db:exec "UPDATE runs SET state = 'abandoned'")
    miner:ask "UPDATE claim SET status = 'active', record = json_set(record, '$.status', 'active')"
    if not arrived then miner:ask "DELETE FROM submission" end
  end

  it("does not take an earlier submission without an answer for its own", function()
    miner = mining.start()
    leave_unanswered(true)
    local done = miner:mine(BINARY)
    assert.equal(8, done.status, done.stderr)
    assert.matches("claim .*taken", done.stderr)
    assert.same({ 2, 2 }, { miner:count() })
    local rows = miner:ask "SELECT id, body FROM submission ORDER BY position"
    assert.matches("submit    " .. rows[2].id .. ", sent ", done.stderr, 1, true)
    assert.is_true(json.decode(rows[1].body).artifact_sha256
      ~= json.decode(rows[2].body).artifact_sha256)
    local posts = json.decode(miner:run({ "ledger", "--json" }).stdout)
    assert.equal(0, posts.unknown)
  end)

  it("uses the claim of an earlier submission again that never arrived", function()
    miner = mining.start()
    leave_unanswered(false)
    local done = miner:mine(BINARY)
    assert.equal(8, done.status, done.stderr)
    assert.matches("claim .*reused", done.stderr)
    assert.same({ 1, 1 }, { miner:count() })
  end)

  it("names the idea it builds on, and never its own", function()
    miner = mining.start()
    assert.equal(8, miner:mine(TERNARY).status)
    local first = miner:ask("SELECT * FROM submission")[1]
    assert.matches("Recipe rowcol", json.decode(first.body).proposed_idea)
    assert.is_nil(json.decode(first.body).implemented_submission_id)
    assert.equal(0, support.bittern(miner.home,
      { "wallet", "new", miner.home .. "/other", "--quiet" }).status)
    local argv = miner:arguments(TERNARY, { "--idea", "finer groups", "--set", "columns=nothing" })
    table.move({ "--coordinator", miner.url, "--hotkey-file", miner.home .. "/other" }, 1, 4,
      #argv + 1, argv)
    assert.equal(8, support.bittern(miner.home, argv).status)
    local second = json.decode(miner:ask("SELECT * FROM submission ORDER BY position")[2].body)
    assert.same({ "finer groups", first.id },
      { second.proposed_idea, second.implemented_submission_id })
  end)

  for fault, expected in pairs {
    ["file-changed"] = { 12, "gives other bytes", "integrity" },
    ["file-redirect"] = { 12, "answers 302, a redirect to", "redirect" },
    ["no-stake"] = { 4, "insufficient", "stake" },
    ["tasks-html"] = { 6, "not JSON", "invalid_response" },
  } do
    it(("meets %s with exit code %d and sends nothing"):format(fault, expected[1]), function()
      miner = mining.start { "--fault", fault }
      local done = miner:mine(BINARY, { "--json" })
      assert.equal(expected[1], done.status, done.stderr)
      local failure = mining.failure(done)
      assert.matches(expected[2], failure.message, 1, true)
      assert.equal(expected[3], failure.id)
      assert.equal(0, (select(2, miner:count())))
    end)
  end

  it("stops over the budget with the exact bytes, and goes on when that is put right", function()
    miner = mining.start()
    local done = miner:mine(BINARY, { "--json", "--budget", "ternary", "--set", "base=t5" })
    assert.equal(9, done.status, done.stderr)
    assert.matches("%d+ bytes over the budget of 398454", mining.failure(done).message)
    assert.same({ 1, 0 }, { miner:count() })
    done = miner:mine(BINARY)
    assert.equal(8, done.status, done.stderr)
    assert.same({ 1, 1 }, { miner:count() })
  end)

  it("publishes again what changed at its URL between two runs", function()
    miner = mining.start()
    assert.is_true(miner:kill_after(BINARY, "publish"))
    local file
    for name in require("lfs").dir(miner.home .. "/coordinator/files") do
      if name:find("%.zip$") then file = miner.home .. "/coordinator/files/" .. name end
    end
    local bytes = assert(fs.read(file))
    assert(fs.write(file, bytes:sub(1, -2) .. string.char(bytes:byte(-1) ~ 1)))
    local done = miner:mine(BINARY, { "--json" })
    assert.equal(12, done.status, done.stderr)
    assert.matches("gives other bytes: SHA-256", mining.failure(done).message, 1, true)
    assert(fs.remove(file))
    assert.equal(8, miner:mine(BINARY).status)
    assert.same({ 1, 1 }, { miner:count() })
  end)

  it("does not submit when the task is paused after the claim, and resumes with it", function()
    miner = mining.start()
    assert.is_true(miner:kill_after(BINARY, "compress"))
    local function set(action)
      assert.equal(0, support.bittern(miner.home,
        { "practice", action, BINARY, "--state", miner.home .. "/coordinator" }).status)
    end
    set("pause")
    local done = miner:mine(BINARY, { "--json" })
    assert.equal(7, done.status, done.stderr)
    assert.matches(TERNARY, mining.failure(done).message, 1, true)
    set("resume")
    assert.equal(8, miner:mine(BINARY).status)
    assert.same({ 1, 1 }, { miner:count() })
  end)

  it("waits out a coordinator that is gone, with its claim and its work", function()
    miner = mining.start()
    assert.is_true(miner:kill_after(BINARY, "eval"))
    miner:stop()
    local done = miner:mine(BINARY)
    assert.equal(6, done.status, done.stderr)
    assert.matches("next: nothing was sent", done.stderr, 1, true)
    miner:resume()
    done = miner:mine(BINARY)
    assert.equal(8, done.status, done.stderr)
    assert.matches("claim .*reused", done.stderr)
    assert.matches("eval .*%(done before%)", done.stderr)
    assert.same({ 1, 1 }, { miner:count() })
  end)

  it("lets one process at a time work on a task", function()
    miner = mining.start()
    local first <close> = miner:watch(BINARY)
    repeat until assert(first:read_line(20)):find("rules")
    local done = miner:mine(BINARY, { "--json" })
    assert.equal(11, done.status, done.stderr)
    assert.matches("another bittern %(process %d+%)", mining.failure(done).message)
    repeat until not first:read_line(30)
    assert.equal(8, first:wait(20).status)
  end)

  it("knows a task by its id as the same task", function()
    miner = mining.start()
    assert.equal(8, miner:mine(BINARY).status)
    local listed = support.bittern(miner.home, { "tasks", "--json", "--coordinator", miner.url })
    local tasks = json.decode(listed.stdout).tasks
    local id = tasks[1].slug == BINARY and tasks[1].id or tasks[2].id
    local done = miner:mine(id)
    assert.equal(8, done.status, done.stderr)
    assert.matches("continuing run 1", done.stderr)
    assert.same({ 1, 1 }, { miner:count() })
  end)

  it("with --dry-run prints the requests, signatures left out, and sends none", function()
    miner = mining.start()
    local done = miner:mine(TERNARY, { "--dry-run", "--json" })
    assert.equal(0, done.status, done.stderr)
    local result = assert(json.decode(done.stdout))
    assert.equal(2, #result.requests)
    for _, request in ipairs(result.requests) do
      assert.equal("X-Signature: (redacted)", request.headers[3])
    end
    assert.matches("/api/v1/submissions$", result.requests[2].url)
    assert.same({ 0, 0 }, { miner:count() })
    -- The local work is kept for the real run.
    done = miner:mine(TERNARY)
    assert.equal(8, done.status, done.stderr)
    assert.matches("eval .*%(done before%)", done.stderr)
  end)

  it("says what is missing or wrong before it asks anybody", function()
    miner = mining.start()
    serving.stop(miner.server)
    miner.server = nil
    for _, case in ipairs {
      { "usage", "--set base: must be KEY=VALUE", "--set", "base" },
      { "usage", "no argument 'bas'; did you mean 'base'?", "--set", "bas=t5" },
      { "usage", "'binery'", "--budget", "binery" },
      { "not_found", "no recipe named 'rowmx'; did you mean 'rowmix'?", "--recipe", "rowmx" },
      { "not_found", "no publisher named 'practise'; did you mean 'practice'?",
        "--publish", "practise" },
      { "config", "base ref 'main' is not a commit", "--base-ref", "main" },
      { "not_found", "/none: no model directory", "--model", miner.home .. "/none" },
      { "not_found", "/none: No such file", "--text", miner.home .. "/none" },
    } do
      local done = miner:mine(BINARY, { "--json", table.unpack(case, 3) })
      local failure = mining.failure(done)
      assert.equal(case[1], failure.id, failure.message)
      assert.matches(case[2], failure.message, 1, true)
    end
    assert.equal(6, miner:mine(BINARY).status)
  end)

  -- The practice tasks name a commit; production's name a branch.
  local function set_branch(name, repository_url)
    miner:ask(([[UPDATE task SET record = json_set(record, '$.base_ref', '%s', '$.repository',
      '%s')]]):format(name, repository_url))
  end

  it("submits the commit where the task's branch stands", function()
    local remote = repository.make { ["train.py"] = "x = 1\n" }
    miner = mining.start()
    set_branch("production", remote.url)
    local done = miner:mine(BINARY, { "--decide", "repository" })
    assert.equal(8, done.status, done.stderr)
    local body = json.decode(miner:ask("SELECT body FROM submission")[1].body)
    assert.same({ remote.commit, "" }, { body.base_ref, body.patch })
  end)

  it("submits a checkout's patch and HEAD beside the artifact", function()
    local pack = "competition_packs/tiny_binary_frontier"
    local remote = repository.make { [pack .. "/train.py"] = "x = 1\n" }
    miner = mining.start()
    set_branch("production", remote.url)
    local folder = miner.home .. "/checkout"
    repository.git(miner.home, "clone", "-q", remote.url, folder)
    repository.git(folder, "checkout", "-q", "production")
    local function mine()
      return miner:mine(BINARY, { "--decide", "repository", "--workspace", folder, "--json" })
    end
    repository.write(folder, { [pack .. "/train.py"] = "++ x = 2\n" })
    local done = mine()
    assert.same({ 9, "patch" }, { done.status, mining.failure(done).id })
    assert.same({ 0, 0 }, { miner:count() })
    repository.write(folder, { [pack .. "/train.py"] = "x = 2\n" })
    done = mine()
    assert.equal(8, done.status, done.stderr)
    local body = json.decode(miner:ask("SELECT body FROM submission")[1].body)
    assert.matches("\n-x = 1\n+x = 2\n", body.patch, 1, true)
    assert.equal(remote.commit, body.base_ref)
    assert.equal(64, #body.artifact_sha256)
  end)

  it("takes no claim before the commit of a branch is known", function()
    local remote = repository.make { ["train.py"] = "x = 1\n" }
    miner = mining.start()
    set_branch("gone", remote.url)
    local done = miner:mine(BINARY, { "--json", "--decide", "repository" })
    assert.is_true(done.status ~= 0, done.stderr)
    local message = mining.failure(done).message
    assert.matches("has no branch or tag 'gone'; or name its commit with --base-ref", message, 1,
      true)
    assert.same({ 0, 0 }, { miner:count() })
    assert.equal(8, miner:mine(BINARY,
      { "--base-ref", ("a"):rep(40), "--decide", "repository" }).status)
  end)

  it("remembers what its user decided, until the contradiction is another one", function()
    miner = mining.start()
    local function contradict(path)
      miner:ask(([[UPDATE task SET record = json_set(record, '$.result_path', '%s')]]):format(path))
    end
    contradict "other.json"
    local done = miner:mine(BINARY)
    assert.equal(9, done.status, done.stderr)
    assert.matches("--decide result_path", done.stderr, 1, true)
    assert.same({ 0, 0 }, { miner:count() })
    assert.equal(0, miner:mine(BINARY, { "--decide", "result_path", "--dry-run" }).status)
    contradict "third.json"
    assert.equal(9, miner:mine(BINARY).status)
    contradict "other.json"
    done = miner:mine(BINARY)
    assert.equal(8, done.status, done.stderr)
    assert.matches("decided before: result_path", done.stderr)
  end)

  it("does not start anew, or change, what may already be sent", function()
    miner = mining.start()
    assert.equal(8, miner:mine(BINARY).status)
    local done = miner:mine(BINARY, { "--json", "--set", "columns=nothing" })
    assert.equal(3, done.status)
    assert.matches("has submitted with other settings", mining.failure(done).message)
    assert.same({ 1, 1 }, { miner:count() })
  end)

  it("runs a workflow of one's own", function()
    miner = mining.start()
    local done = miner:mine(BINARY, {
      "--json", "--workflow", support.root .. "/examples/workflows/rehearse.lua",
    })
    assert.equal(0, done.status, done.stderr)
    local result = json.decode(done.stdout)
    assert.same({ "rehearse", "done" }, { result.workflow, result.outcome })
    assert.is_true(result.steps.eval.heldout_ppl > 1)
    assert.same({ 0, 0 }, { miner:count() })
  end)
end)
