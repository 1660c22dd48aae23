local store = require "core.store"

local database = require "bittern.practice.database"
local json = require "bittern.json"
local mining = require "tests.mining"

local BINARY <const> = "tiny-binary-frontier"

describe("bittern track", function()
  local miner

  after_each(function() miner:stop() end)

  local function set(status, notes)
    local db <close> = assert(store.open(miner.home .. "/coordinator/coordinator.db"))
    database.put(db, "submission", "UPDATE submission SET status = ? RETURNING *", status)
    database.put(db, "job", [[INSERT INTO job
      (id, submission_id, validator_hotkey, status, notes, created_at)
      SELECT 'v1', id, '5Validator', ?, ?, created_at FROM submission RETURNING *]], status, notes)
  end

  it("follows a submission: pending, then what the validators say", function()
    miner = mining.start()
    assert.equal(8, miner:mine(BINARY).status)
    local id = miner:ask("SELECT id FROM submission")[1].id
    local pending = miner:run { "track", id, "--timeout", "0", "--json" }
    assert.same({ 8, "pending" }, { pending.status, mining.failure(pending).id })
    set("rejected", "artifact_size mismatch: expected 5, got 6")
    local rejected = miner:run { "track", id }
    assert.same({ 0, "rejected: artifact_size mismatch: expected 5, got 6\n" },
      { rejected.status, rejected.stdout })
    assert.matches("submission " .. id .. ": rejected\n", rejected.stderr, 1, true)
    rejected = miner:run { "track", id, "--exit-status", "--json" }
    assert.equal(10, rejected.status)
    assert.equal("rejected", json.decode(rejected.stdout).submission.status)
    local posts = json.decode(miner:run({ "ledger", "--json" }).stdout).posts
    assert.equal("rejected", posts[1].status)
    -- The run that made it ends the same way, and says so when it is asked again.
    assert.equal(10, miner:mine(BINARY).status)
    local again = miner:mine(BINARY, { "--json" })
    assert.equal(10, again.status)
    assert.matches("ended before: rejected", mining.failure(again).message, 1, true)
    assert.same({ 1, 1 }, { miner:count() })
  end)

  it("gives the whole detail of an accepted one with --json", function()
    miner = mining.start()
    assert.equal(8, miner:mine(BINARY).status)
    local id = miner:ask("SELECT id FROM submission")[1].id
    set("accepted", "replay succeeded")
    local done = miner:run { "track", id, "--json" }
    assert.equal(0, done.status, done.stderr)
    assert.equal("accepted", json.decode(done.stdout).submission.status)
    assert.matches("replay succeeded", done.stderr)
  end)

  it("names the option that is no number", function()
    for _, argv in ipairs { { "track", "x", "--timeout", "soon" },
      miner:arguments("tiny-binary-frontier", { "--timeout", "soon" }),
      { "verify", "x", "--size", "big" } } do
      local done = miner:run(argv)
      assert.equal(2, done.status, done.stderr)
      assert.matches("%-%-[ts]i[mz]eo?u?t? must be a .*number", done.stderr)
    end
  end)

  it("says that there is no such submission", function()
    miner = mining.start()
    local done = miner:run { "track", "nothing", "--json" }
    assert.same({ 7, "not_found" }, { done.status, mining.failure(done).id })
  end)
end)
