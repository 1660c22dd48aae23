local json = require "bittern.json"
local mining = require "tests.mining"
local support = require "tests.support"

local BINARY <const> = "tiny-binary-frontier"

describe("bittern cancel", function()
  local miner

  after_each(function() miner:stop() end)

  local function take()
    return miner:run({ "claim", BINARY }).stdout:match("%S+")
  end

  local function states()
    local list = {}
    for i, row in ipairs(miner:ask("SELECT status FROM claim ORDER BY rowid")) do
      list[i] = row.status
    end
    return list
  end

  it("gives a claim back, once", function()
    miner = mining.start()
    local claim = take()
    local done = miner:run { "cancel", claim, "--json" }
    assert.equal(0, done.status, done.stderr)
    assert.same({ id = claim, status = "cancelled", how = "sent" },
      json.decode(done.stdout).claims[1])
    done = miner:run { "cancel", claim, "--json" }
    assert.equal("was so before", json.decode(done.stdout).claims[1].how)
    assert.same({ "cancelled" }, states())
  end)

  it("abandons the unfinished run of a task, and gives its claim back", function()
    miner = mining.start()
    assert.is_true(miner:kill_after(BINARY, "compress"))
    local done = miner:run { "cancel", BINARY, "--json" }
    assert.equal(0, done.status, done.stderr)
    assert.matches("run 1 is abandoned", done.stderr)
    local given = json.decode(done.stdout).claims
    assert.same({ 1, "cancelled" }, { #given, given[1].status })
    assert.same({ "cancelled" }, states())
    assert.equal(8, miner:mine(BINARY).status)
    assert.same({ "cancelled", "completed" }, states())
  end)

  it("keeps a claim that carries a submission", function()
    miner = mining.start()
    assert.equal(8, miner:mine(BINARY).status)
    local claim = miner:ask("SELECT id FROM claim")[1].id
    local done = miner:run { "cancel", claim, "--json" }
    assert.equal(0, done.status, done.stderr)
    assert.equal("completed", json.decode(done.stdout).claims[1].status)
  end)

  it("with --dry-run prints the request without a body and sends nothing", function()
    miner = mining.start()
    local claim = take()
    local done = miner:run { "cancel", claim, "--dry-run", "--json" }
    local requests = assert(json.decode(done.stdout)).requests
    local request = requests[1]
    assert.equal(1, #requests)
    assert.same({ "POST", miner.url .. "/api/v1/claims/" .. claim .. "/cancel" },
      { request.method, request.url })
    assert.is_nil(request.body)
    assert.same({ "active" }, states())
  end)

  it("says so when there is nothing to give back", function()
    miner = mining.start()
    local done = miner:run { "cancel", BINARY }
    assert.same({ 0, "" }, { done.status, done.stdout })
    assert.matches("no claim of this hotkey to give back", done.stderr)
    done = miner:run { "cancel", BINARY, "--dry-run", "--json" }
    assert.same({ dry_run = true, requests = {} }, json.decode(done.stdout))
  end)

  it("refuses another's claim, and one that there is not", function()
    miner = mining.start()
    local claim = take()
    support.bittern(miner.home, { "wallet", "new", miner.home .. "/other", "--quiet" })
    local argv = { "--coordinator", miner.url, "cancel", claim, "--json", "--hotkey-file",
      miner.home .. "/other" }
    local done = support.bittern(miner.home, argv)
    assert.same({ 4, "forbidden" }, { done.status, mining.failure(done).id })
    done = miner:run { "cancel", "nothing", "--json" }
    assert.same({ 7, "not_found" }, { done.status, mining.failure(done).id })
    assert.same({ "active" }, states())
  end)
end)

describe("mine --restart", function()
  it("gives the claim of the abandoned run back before it begins anew", function()
    local miner = mining.start()
    assert.is_true(miner:kill_after(BINARY, "claim"))
    local done = miner:mine(BINARY, { "--restart" })
    local rows = miner:ask("SELECT status FROM claim ORDER BY rowid")
    miner:stop()
    assert.equal(8, done.status, done.stderr)
    assert.matches("given back: cancelled", done.stderr)
    assert.same({ { status = "cancelled" }, { status = "completed" } }, rows)
  end)
end)
