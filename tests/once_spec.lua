local ledgers = require "bittern.ledger"
local once = require "bittern.once"
local support = require "tests.support"

-- A world of one coordinator: what it stored, what it answers, and a clock that only sleep moves.
local function world(ledger, answers)
  local w = { time = 1000, stored = {}, posts = 0, looks = 0, slept = 0 }
  ledger.now = function() return w.time end
  w.ctx = {
    client = { base = "http://c" }, ledger = ledger, hotkey = "5Me", settle = 30,
    sleep = function(seconds)
      w.time, w.slept = w.time + seconds, w.slept + seconds
      if w.late and w.time >= w.late then w.stored[1] = { id = "r" } end
      return true
    end,
  }
  w.post = {
    kind = "evaluation", subject = "s", body = "{}",
    send = function()
      w.posts = w.posts + 1
      local answer = answers[w.posts] or "ok"
      if answer == "ok" or answer == "lost" then w.stored[1] = { id = "r" } end
      if answer == "ok" then return w.stored[1] end
      return nil, "POST: " .. answer, answer == "refused" and "rejected" or "timeout"
    end,
    look = function()
      w.looks = w.looks + 1
      if w.blind then return nil, "GET: timed out", "timeout" end
      return w.stored[1] or false
    end,
  }
  return w
end

describe("a POST that is sent once", function()
  local ledger

  before_each(function() ledger = assert(ledgers.open(support.folder() .. "/ledger.db")) end)
  after_each(function() ledger:close() end)

  local function row()
    return ledger:last_post {
      coordinator = "http://c", hotkey = "5Me", kind = "evaluation", subject = "s",
    }
  end

  it("is looked for with back-off, and adopted as soon as it shows", function()
    local w = world(ledger, { "lost" })
    local record, how = once.send(w.ctx, w.post)
    assert.same({ "r", 1, 1 }, { record.id, w.posts, w.looks })
    assert.matches("found after its answer was lost", how)
    assert.same({ "done", "r" }, { row().state, row().record_id })
  end)

  it("is not sent again while a slow server may still carry it out", function()
    local w = world(ledger, { "silence" })
    w.late = w.time + 29
    assert.equal("r", once.send(w.ctx, w.post).id)
    assert.equal(1, w.posts)
    assert.is_true(w.looks < 12)
  end)

  it("counts as lost when nothing shows for the whole time, and is sent once more", function()
    local w = world(ledger, { "silence" })
    assert.equal("r", once.send(w.ctx, w.post).id)
    assert.equal(2, w.posts)
    assert.is_true(w.slept >= 30)
  end)

  it("that a dead process left behind gets the rest of its time", function()
    local w = world(ledger, {})
    local intent = assert(ledger:intend {
      coordinator = "http://c", hotkey = "5Me", kind = "evaluation", subject = "s", body = "{}",
    })
    assert(ledger:attempt(intent.id))
    w.time = w.time + 20
    w.late = w.time + 8
    local record, how = once.send(w.ctx, w.post)
    assert.same({ "r", 0 }, { record.id, w.posts })
    assert.matches("found", how)
  end)

  it("is of unknown outcome while nobody can be asked, and waits for the next run", function()
    local w = world(ledger, { "lost" })
    w.blind = true
    local record, message, code = once.send(w.ctx, w.post)
    assert.same({ nil, "unknown_outcome" }, { record, code })
    assert.matches("GET: timed out; whether it arrived is not known yet", message, 1, true)
    assert.equal("unknown", row().state)
    once.send(w.ctx, w.post)
    w.blind = false
    assert.equal("r", once.send(w.ctx, w.post).id)
    assert.equal(1, w.posts)
  end)

  it("refused after an attempt without an answer may be that very attempt", function()
    local w = world(ledger, { "silence", "refused" })
    local look, asked = w.post.look, 0
    w.post.look = function()
      if w.posts == 2 then w.stored[1] = { id = "r" } end
      asked = asked + 1
      return look()
    end
    local record, how = once.send(w.ctx, w.post)
    assert.equal("r", record.id)
    assert.matches("found after a refusal", how)
  end)

  it("may be repeated when one that was carried out may be followed by another", function()
    local w = world(ledger, {})
    assert(once.send(w.ctx, w.post))
    assert(once.send(w.ctx, w.post))
    assert.equal(1, w.posts)
    w.post.repeats = true
    assert(once.send(w.ctx, w.post))
    assert.equal(2, w.posts)
  end)

  it("stops looking when it is interrupted, and stays unknown", function()
    local w = world(ledger, { "lost" })
    w.ctx.sleep = function() return nil, "interrupted", "interrupted" end
    local record, _, code = once.send(w.ctx, w.post)
    assert.same({ nil, "interrupted", "unknown" }, { record, code, row().state })
  end)
end)
