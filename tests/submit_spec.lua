local fake = require "tests.fake_coordinator"
local ledgers = require "bittern.ledger"
local submit = require "bittern.submit"
local support = require "tests.support"

local COMMIT <const> = ("0123456789"):rep(4)

local function body(changes)
  local all = {
    summary = "a summary", claimed_metrics = { heldout_ppl = 7.25 }, artifact_uri = "http://a/b",
    artifact_sha256 = ("a"):rep(64), artifact_size_bytes = 12, proposed_idea = "",
  }
  for key, value in pairs(changes or {}) do all[key] = value end
  return submit.body(all, "claim-1", COMMIT)
end

describe("submit", function()
  local ledger

  before_each(function() ledger = assert(ledgers.open(support.folder() .. "/ledger.db")) end)
  after_each(function() ledger:close() end)

  local function send(client, changes)
    return submit.send(fake.context(client, ledger), body(changes))
  end

  local function row() return ledger:submission("http://127.0.0.1:9", "claim-1") end

  it("leaves empty fields out of the body and keeps the empty patch", function()
    assert.same({
      claim_id = "claim-1", base_ref = COMMIT, patch = "", summary = "a summary",
      claimed_metrics = { heldout_ppl = 7.25 }, artifact_uri = "http://a/b",
      artifact_sha256 = ("a"):rep(64), artifact_size_bytes = 12,
    }, body())
  end)

  it("takes the task's base_ref only when it is a commit", function()
    local task = { slug = "tiny", base_ref = COMMIT, repository = "https://h/r.git" }
    assert.equal(COMMIT, submit.base_ref(task))
    assert.equal(("f"):rep(40), submit.base_ref(task, ("f"):rep(40)))
    task.base_ref = "production"
    local ref, message, code = submit.base_ref(task)
    assert.is_nil(ref)
    assert.equal("config", code)
    assert.matches("'production' is a branch", message, 1, true)
    assert.matches("git ls-remote https://h/r.git production", message, 1, true)
    assert.is_nil(submit.base_ref(task, "abc"))
    -- Nobody else's machine is asked, and nothing offline.
    assert.equal("config", select(3, submit.base_ref(task, nil, { offline = true })))
    task.repository = "/srv/task.git"
    local client = { base = "https://coordinator.example" }
    assert.equal("insecure", select(3, submit.base_ref(task, nil, client)))
  end)

  it("sends once and records the coordinator's id", function()
    local client = fake.new()
    local record, how = send(client)
    assert.same({ "submit-1", "sent" }, { record.id, how })
    assert.same({ "done", "submit-1", 1 }, { row().state, row().record_id, row().attempts })
  end)

  it("has the exact body in the ledger when the request leaves", function()
    local client, seen = fake.new(), nil
    function client:submit(sent)
      seen = row()
      return fake.new().submit(self, sent)
    end
    setmetatable(client, getmetatable(fake.new()))
    send(client)
    assert.same({ "unknown", 1 }, { seen.state, seen.attempts })
    assert.equal(require("core.sha256").hex(seen.body), seen.body_sha256)
    assert.matches('"claimed_metrics":{"heldout_ppl":7.25}', seen.body, 1, true)
  end)

  it("does not send again what was sent", function()
    local client = fake.new()
    send(client)
    local record, how = send(client)
    assert.same({ "submit-1", "sent before", 1 }, { record.id, how, client.posts.submit })
  end)

  it("refuses other contents for a claim that carries a submission, and names that", function()
    local client = fake.new()
    send(client)
    local sent, message, code = send(client, { summary = "another" })
    assert.same({ nil, "claim_used", 1 }, { sent, code, client.posts.submit })
    assert.equal(
      "submission about claim-1: submit-1 was sent before, with other contents", message)
    assert.same({ "done", "submit-1" }, { row().state, row().record_id })
  end)

  for _, how in ipairs { "lost_answer", "timed_out", "odd_answer" } do
    it("finds it in the list when the answer was lost: " .. how, function()
      local client = fake.new { submit = { how } }
      local record, said = send(client)
      assert.equal("submit-1", record.id)
      assert.matches("found", said)
      assert.equal(1, client.posts.submit)
      assert.equal("done", row().state)
    end)
  end

  it("knows a patch again in a list that names neither claims nor artifacts", function()
    local client = fake.new { submit = { "lost_answer" } }
    client.submissions = function()
      return { { id = "other", miner_hotkey = "5Me", patch = "diff 2", summary = "a summary" },
        { id = "ours", miner_hotkey = "5Me", patch = "diff 1", summary = "a summary" } }
    end
    local bare = body { patch = "diff 1" }
    bare.artifact_uri, bare.artifact_sha256, bare.artifact_size_bytes = nil, nil, nil
    local record = submit.send(fake.context(client, ledger), bare)
    assert.same({ "ours", 1 }, { record.id, client.posts.submit })
  end)

  it("looks for it when it is refused after an earlier one may have come late", function()
    local client = fake.new { submit = { "lost_request", "lost_request", "refused" } }
    send(client)
    client.submission_list[1] =
      { id = "late", task_id = "t", miner_hotkey = "5Me", claim_id = "claim-1" }
    local record, how = send(client)
    assert.equal("late", record and record.id, how)
    assert.equal("done", row().state)
  end)

  it("sends once more when the list shows that the request was lost", function()
    local client = fake.new { submit = { "lost_request" } }
    local record = send(client)
    assert.equal("submit-1", record.id)
    assert.same({ 2, 1 }, { client.posts.submit, client.listings })
  end)

  it("gives up after the second loss, and may be sent again later", function()
    local client = fake.new { submit = { "lost_request", "lost_request" } }
    local record, message, code = send(client)
    assert.is_nil(record)
    assert.equal("server_error", code)
    assert.matches("shows nothing of it after 2 tries", message)
    assert.equal("not_sent", row().state)
    assert.equal("submit-1", send(client).id)
  end)

  it("sends nothing again while the list cannot be read", function()
    local client = fake.new { submit = { "lost_answer" }, lists = { false } }
    local record, message, code = send(client)
    assert.is_nil(record)
    assert.equal("unknown_outcome", code)
    assert.matches("GET: timed out", message)
    assert.equal(1, client.posts.submit)
    -- The next run looks first.
    assert.equal("submit-1", send(client).id)
    assert.equal(1, client.posts.submit)
  end)

  it("looks before it sends when an earlier run died after recording its intent", function()
    local client = fake.new { submit = { "interrupted" } }
    local record, _, code = send(client)
    assert.is_nil(record)
    assert.equal("interrupted", code)
    local found, how = send(client)
    assert.same({ "submit-1", 1 }, { found.id, client.posts.submit })
    assert.matches("found", how)
  end)

  it("takes an earlier submission with other contents for what it is when it shows", function()
    local client = fake.new { submit = { "interrupted" } }
    send(client)
    assert.equal("claim_used", select(3, send(client, { artifact_sha256 = ("b"):rep(64) })))
    assert.same({ "done", "submit-1", 1 }, { row().state, row().record_id, client.posts.submit })
    -- A branch that moved since makes no other submission.
    assert.equal("submit-1", submit.send(fake.context(client, ledger),
      submit.body(body(), "claim-1", ("f"):rep(40))).id)
  end)

  it("does not take an earlier one that came late for its own when it is refused", function()
    local client = fake.new { submit = { "lost_request", "lost_request", "refused" } }
    send(client)
    client.submission_list[1] = { id = "late", task_id = "t", miner_hotkey = "5Me",
      claim_id = "claim-1", artifact_sha256 = ("a"):rep(64) }
    local sent, message, code = send(client, { artifact_sha256 = ("b"):rep(64) })
    assert.same({ nil, "claim_used", "refused" }, { sent, code, row().state })
    assert.matches("late was sent before", message, 1, true)
  end)

  it("does not take another miner's or another claim's submission for its own", function()
    local client = fake.new { submit = { "interrupted" } }
    local digest = ("a"):rep(64)
    client.submission_list = {
      { id = "x", task_id = "t", miner_hotkey = "5Other", artifact_sha256 = digest },
      {
        id = "y", task_id = "t", miner_hotkey = "5Me", claim_id = "older",
        artifact_sha256 = digest,
      },
    }
    send(client)
    assert.equal("submit-3", send(client).id)
  end)

  it("takes the artifact's hash for proof where a record names no claim", function()
    local client = fake.new { submit = { "lost_answer" } }
    local listing = client.listing
    function client:listing(list, filter)
      local found = listing(self, list, filter)
      for _, record in ipairs(found) do record.claim_id = nil end
      return found
    end
    assert.equal("submit-1", send(client).id)
    assert.equal(1, client.posts.submit)
  end)

  it("stops at once when it is refused, and may be sent again once that is put right", function()
    local client = fake.new { submit = { "refused", "stake" } }
    local record, message, code = send(client)
    assert.is_nil(record)
    assert.equal("rejected", code)
    assert.matches("summary is too long", message)
    assert.same({ "refused", "summary is too long" }, { row().state, row().message })
    assert.equal("stake", select(3, send(client)))
    assert.equal("submit-1", send(client, { summary = "short" }).id)
    assert.same({ 3, 0 }, { client.posts.submit, client.listings })
  end)

  it("that never left this machine is sent without a look", function()
    local client = fake.new { submit = { "unreachable" } }
    assert.equal("unreachable", select(3, send(client)))
    assert.equal("not_sent", row().state)
    assert.equal("submit-1", send(client).id)
    assert.equal(0, client.listings)
  end)

  it("refused as a duplicate is ours when the list says so", function()
    local client = fake.new { submit = { "duplicate" } }
    client.submission_list = {
      { id = "s9", task_id = "t", miner_hotkey = "5Me", claim_id = "claim-1", status = "accepted" },
    }
    assert.equal("s9", send(client).id)
    local other = fake.new { submit = { "duplicate" } }
    other.base = "http://127.0.0.1:10"
    local record, message, code = submit.send(fake.context(other, ledger), body())
    assert.is_nil(record)
    assert.equal("conflict", code)
    assert.matches("duplicate", message)
  end)
end)
