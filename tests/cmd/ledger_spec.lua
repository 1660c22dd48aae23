local json = require "bittern.json"
local mining = require "tests.mining"
local store = require "core.store"
local support = require "tests.support"

local BINARY <const> = "tiny-binary-frontier"

describe("bittern ledger", function()
  local miner

  after_each(function()
    if miner then miner:stop() end
    miner = nil
  end)

  -- What a process leaves behind that dies between its POST and the answer.
  local function forget_answers()
    local db <close> = assert(store.open(miner.home .. "/.local/state/bittern/ledger.db"))
    assert(db:exec("UPDATE posts SET state = 'unknown', record_id = NULL, status = NULL"))
  end

  local function list(...)
    local done = miner:run { "ledger", "--json", ... }
    return assert(json.decode(done.stdout)), done
  end

  it("says that nothing was sent, without network or hotkey", function()
    local done = support.bittern(support.folder(), { "ledger", "--offline" })
    assert.same({ 0, "", "nothing was sent from here\n" },
      { done.status, done.stdout, done.stderr })
  end)

  it("lists what was sent, to the byte, and what became of it", function()
    miner = mining.start()
    assert.equal(8, miner:mine(BINARY).status)
    local posts = list().posts
    assert.same({ "submission", "claim" }, { posts[1].kind, posts[2].kind })
    assert.same({ "done", "done" }, { posts[1].state, posts[2].state })
    assert.equal(posts[2].record_id, json.decode(posts[1].body).claim_id)
    assert.equal(1, #list("--limit", "1").posts)
    assert.same({}, list("--unknown").posts)
    local lines = miner:run({ "ledger" }).stdout
    assert.matches("POST  KIND        STATE", lines, 1, true)
    assert.matches("submission  done %(pending_verification%)", lines)
  end)

  if support.has_terminals() then
    it("fits a terminal of 80 columns, and is whole in a pipe", function()
      miner = mining.start()
      assert.equal(8, miner:mine(BINARY).status)
      local shown = support.at_terminal(miner.home, "", { "ledger" }).stdout
      for line in shown:gmatch("[^\n]+") do assert.is_true(#line <= 80, line) end
      local ids = miner:ask("SELECT id, claim_id FROM submission")[1]
      assert.matches(("%s -> %s"):format(ids.claim_id, ids.id), shown, 1, true)
      assert.matches("^2  submission  done %(pending_verification%), %d s ago\n", shown)
      local whole = miner:run({ "ledger" }).stdout
      assert.matches("\n +2  submission .*" .. ids.claim_id:gsub("-", "%%-") .. "  "
        .. ids.id:gsub("-", "%%-"), whole)
    end)
  end

  it("finds out what became of what nobody answered", function()
    miner = mining.start()
    assert.equal(8, miner:mine(BINARY).status)
    forget_answers()
    local before, said = list()
    assert.equal(2, before.unknown)
    assert.matches("2 of unknown outcome; `bittern ledger %-%-reconcile`", said.stderr)
    local after, done = list("--reconcile")
    assert.equal(0, done.status, done.stderr)
    assert.equal(0, after.unknown)
    assert.same({ "done", "done" }, { after.posts[1].state, after.posts[2].state })
    assert.same({
      miner:ask("SELECT id FROM submission")[1].id, miner:ask("SELECT id FROM claim")[1].id,
    }, { after.posts[1].record_id, after.posts[2].record_id })
  end)

  it("knows what became of a cancellation as soon as the claim shows it", function()
    miner = mining.start()
    local claim = miner:run({ "claim", BINARY }).stdout:match("%S+")
    miner:run { "cancel", claim }
    forget_answers()
    miner:run { "cancel", claim }
    local posts = list().posts
    assert.same({ "claim", "unknown" }, { posts[1].kind, posts[1].state })
    assert.same({ "cancel", "done", claim }, { posts[2].kind, posts[2].state, posts[2].record_id })
  end)

  it("ends with 15 while the coordinator cannot be asked", function()
    miner = mining.start()
    miner:run { "claim", BINARY }
    forget_answers()
    miner:stop()
    local left, done = list("--reconcile")
    assert.same({ 15, 1 }, { done.status, left.unknown })
  end)
end)
