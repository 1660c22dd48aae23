local claims = require "bittern.claim"
local fake = require "tests.fake_coordinator"
local ledgers = require "bittern.ledger"
local support = require "tests.support"

describe("claim", function()
  local ledger

  before_each(function() ledger = assert(ledgers.open(support.folder() .. "/ledger.db")) end)
  after_each(function() ledger:close() end)

  local function take(client, options)
    return claims.take(fake.context(client, ledger), options or { description = "d" })
  end

  local function states()
    local list = {}
    for i, row in ipairs(assert(ledger:query("SELECT state, record_id FROM posts ORDER BY id"))) do
      list[i] = row.state .. (row.record_id and " " .. row.record_id or "")
    end
    return list
  end

  it("is taken once and recorded", function()
    local client = fake.new()
    local claim, how = take(client)
    assert.same({ "claim-1", "taken" }, { claim.id, how })
    assert.same({ "done claim-1" }, states())
  end)

  it("is reused when the coordinator already has an active one of ours", function()
    local client = fake.new()
    take(client)
    local claim, how = take(client)
    assert.same({ "claim-1", "reused", 1 }, { claim.id, how, client.posts.claim })
  end)

  it("of another hotkey, of another task or cancelled is not ours", function()
    local client = fake.new()
    client.claim_list = {
      { id = "x", task_id = "t", miner_hotkey = "5Other", status = "active" },
      { id = "y", task_id = "u", miner_hotkey = "5Me", status = "active" },
      { id = "z", task_id = "t", miner_hotkey = "5Me", status = "cancelled" },
    }
    local claim, how = take(client)
    assert.same({ "claim-4", "taken" }, { claim.id, how })
  end)

  it("that already carries a submission is not used again", function()
    local client = fake.new()
    take(client)
    local row = assert(ledger:intend {
      coordinator = client.base, hotkey = "5Me", kind = "submission", subject = "claim-1",
    })
    assert(ledger:outcome(row.id, "done", { record_id = "s" }))
    local claim, how = take(client)
    assert.same({ "claim-2", "taken" }, { claim.id, how })
  end)

  describe("with a submission that nobody answered for", function()
    local client

    before_each(function()
      client = fake.new()
      take(client)
      local row = assert(ledger:intend {
        coordinator = client.base, hotkey = "5Me", kind = "submission", subject = "claim-1",
        task_id = "t", body = "{}",
      })
      assert(ledger:attempt(row.id))
    end)

    it("is not used again when that arrived", function()
      client.submission_list = { { id = "s", task_id = "t", claim_id = "claim-1" } }
      local claim, how = take(client)
      assert.same({ "claim-2", "taken" }, { claim.id, how })
      assert.same({ "done claim-1", "done s", "done claim-2" }, states())
    end)

    it("is used again when that never arrived", function()
      local claim, how = take(client)
      assert.same({ "claim-1", "reused" }, { claim.id, how })
      assert.equal(1, client.posts.claim)
    end)

    it("is left alone, and no other one taken, while nobody can be asked", function()
      client.script.lists = { [client.listings + 2] = false }
      for i = 1, client.listings + 1 do client.script.lists[i] = true end
      local claim, message, code = take(client)
      assert.same({ nil, "unknown_outcome" }, { claim, code })
      assert.matches("claim claim-1: submission: ", message, 1, true)
      assert.equal(1, client.posts.claim)
    end)
  end)

  it("that is known from before is preferred among several", function()
    local client = fake.new()
    client.claim_list = {
      { id = "a", task_id = "t", miner_hotkey = "5Me", status = "active" },
      { id = "b", task_id = "t", miner_hotkey = "5Me", status = "active" },
    }
    assert.equal("b", take(client, { description = "d", wanted = "b" }).id)
    assert.equal("a", take(client, { description = "d", wanted = "c" }).id)
  end)

  for _, how in ipairs { "lost_answer", "timed_out", "odd_answer" } do
    it("is found when its answer was lost: " .. how, function()
      local client = fake.new { claim = { how } }
      local claim, said = take(client)
      assert.equal("claim-1", claim.id)
      assert.matches("found", said)
      assert.equal(1, client.posts.claim)
      assert.same({ "done claim-1" }, states())
    end)
  end

  it("is asked for once more when the list shows that the request was lost", function()
    local client = fake.new { claim = { "lost_request" } }
    local claim = take(client)
    assert.equal("claim-1", claim.id)
    assert.equal(2, client.posts.claim)
  end)

  it("stays unknown when nobody can be asked, and is found the next time", function()
    local client = fake.new { claim = { "lost_answer" }, lists = { true, false } }
    local claim, message, code = take(client)
    assert.is_nil(claim)
    assert.equal("unknown_outcome", code)
    assert.matches("claim: POST: broke off", message, 1, true)
    assert.equal("claim-1", take(client).id)
    assert.equal(1, client.posts.claim)
  end)

  it("is not asked for when the list of claims cannot be read", function()
    local client = fake.new { lists = { false } }
    local claim, message, code = take(client)
    assert.is_nil(claim)
    assert.matches("list active claims: GET: timed out", message)
    assert.equal("timeout", code)
    assert.equal(0, client.posts.claim)
  end)

  it("stops at once when it is refused, with the coordinator's words", function()
    for how, code in pairs {
      stake = "stake", refused = "rejected", unreachable = "unreachable", busy = "busy",
      forbidden = "forbidden",
    } do
      local client = fake.new { claim = { how } }
      local claim, _, id = take(client)
      assert.is_nil(claim)
      assert.equal(code, id)
      assert.equal(1, client.posts.claim)
    end
  end)

  it("interrupted while asking is found by the next run", function()
    local client = fake.new { claim = { "interrupted" } }
    local claim, _, code = take(client)
    assert.is_nil(claim)
    assert.equal("interrupted", code)
    assert.same({ "unknown" }, states())
    assert.equal("claim-1", take(client).id)
    assert.equal(1, client.posts.claim)
    assert.same({ "done claim-1" }, states())
  end)

  it("refused because the task was paused meanwhile is told so", function()
    local client = fake.new { claim = { "duplicate" } }
    client.task_list = { { id = "t", slug = "tiny", task_state = "paused", is_active = true } }
    local claim, message, code = take(client)
    assert.same({ nil, "not_live" }, { claim, code })
    assert.matches("task tiny is paused now; claim: duplicate", message, 1, true)
  end)

  describe("given back", function()
    local function cancel(client)
      return claims.cancel(fake.context(client, ledger), "claim-1", "t")
    end

    it("is recorded, and not asked for twice", function()
      local client = fake.new()
      take(client)
      assert.equal("sent", select(2, cancel(client)))
      assert.equal("sent before", select(2, cancel(client)))
      assert.same({ "done claim-1", "done claim-1" }, states())
      assert.same({ "cancelled", 1 }, { client.claim_list[1].status, client.posts.cancel })
    end)

    it("is known to be gone when the answer was lost", function()
      local client = fake.new { cancel = { "lost_answer" } }
      take(client)
      local record, how = cancel(client)
      assert.same({ "cancelled", 1 }, { record.status, client.posts.cancel })
      assert.matches("found after its answer was lost", how)
    end)

    it("is asked for again when the claim is still active", function()
      local client = fake.new { cancel = { "lost_request" } }
      take(client)
      assert.equal("sent", select(2, cancel(client)))
      assert.equal(2, client.posts.cancel)
    end)

    it("that cannot be given back is told, and ends nothing", function()
      local client, said = fake.new { cancel = { "refused" } }, {}
      take(client)
      local ctx = fake.context(client, ledger)
      ctx.report = { say = function() end, warn = function(text) said[#said + 1] = text end }
      claims.abandon(ctx, "claim-1", "t")
      assert.same({ "claim claim-1 could not be given back: cancel: summary is too long" }, said)
    end)

    it("stays when it carries a submission, or may carry one", function()
      local client = fake.new { lists = { true, false } }
      take(client)
      local row = assert(ledger:intend {
        coordinator = client.base, hotkey = "5Me", kind = "submission", subject = "claim-1",
        task_id = "t", body = "{}",
      })
      assert(ledger:attempt(row.id))
      assert.equal("unknown_outcome", select(3, cancel(client)))
      client.submission_list = { { id = "s", task_id = "t", claim_id = "claim-1" } }
      local record, message, code = cancel(client)
      assert.same({ nil, "claim_used" }, { record, code })
      assert.matches("claim claim-1 carries submission s", message, 1, true)
      assert.equal(0, client.posts.cancel)
    end)
  end)

  it("tells in the ledger's own words that it cannot be read", function()
    local ctx = {
      hotkey = "h", client = { base = "http://c", claims = function()
        return { { id = "c", miner_hotkey = "h", status = "active" } }
      end },
      ledger = { submission = function() return nil, "disk I/O error", "io" end },
    }
    local _, message, code = claims.free(ctx, "t")
    assert.same({ "ledger: disk I/O error", "io" }, { message, code })
  end)
end)
