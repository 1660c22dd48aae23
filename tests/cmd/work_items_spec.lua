-- The planner's wishes: shown, claimed once, resumed, and not taken from others.
local coordinator = require "bittern.coordinator"
local json = require "bittern.json"

local mining = require "tests.mining"
local practice = require "tests.practice.support"
local support = require "tests.support"

local BINARY <const> = "tiny-binary-frontier"

describe("bittern work-items", function()
  local miner, alice

  local function start(options)
    miner = mining.start(options)
    alice = assert(coordinator.new { url = miner.url, key = practice.alice })
    local planned = support.bittern(miner.home,
      { "practice", "plan", "--state", miner.home .. "/coordinator" })
    assert.equal(0, planned.status, planned.stderr)
  end
  after_each(function() miner:stop() end)

  local function items(...)
    return miner:run { "work-items", BINARY, ... }
  end

  local function next_item()
    local done = items("--next", "--json")
    assert.equal(0, done.status, done.stderr)
    return json.decode(done.stdout)
  end

  it("lists the most wanted first", function()
    start()
    local done = items()
    assert.equal(0, done.status, done.stderr)
    assert.matches("100.*baseline.*\n.* 0 .*explore", done.stdout)
    assert.equal(2, #json.decode(items("--json").stdout).work_items)
    assert.matches("the planner has nothing", items("--status", "completed").stderr)
  end)

  it("fits a terminal of 80 columns", function()
    if not support.has_terminals() then return pending("no pseudo-terminals here") end
    start()
    local shown = support.at_terminal(miner.home, "", { "--coordinator", miner.url, "work-items",
      BINARY }).stdout
    assert.matches("WORK ITEM", shown, 1, true)
    for line in shown:gmatch("[^\n]+") do assert.is_true(#line <= 80, line) end
  end)

  it("claims the most wanted once, and comes back to it", function()
    start()
    local first = next_item()
    assert.same({ "baseline", "taken" }, { first.work_item.kind, first.how })
    local again = next_item()
    assert.same({ first.claim.id, "reused" }, { again.claim.id, again.how })
    assert.same({ 1, 0 }, { miner:count() })
    assert.matches("claimed", items("--status", "claimed").stdout)
    local cancelled = miner:run { "cancel", first.claim.id }
    assert.equal(0, cancelled.status, cancelled.stderr)
    local anew = next_item()
    assert.equal("taken", anew.how)
    assert.not_equal(first.claim.id, anew.claim.id)
  end)

  it("does not take what another miner has", function()
    start()
    local task = assert(alice:find(BINARY))
    local wanted = alice:work_items { task_id = task.id }[1]
    assert(alice:claim_work_item(wanted))
    local done = items("--claim", wanted.id)
    assert.equal(10, done.status)
    assert.matches("is claimed, and not by this hotkey", done.stderr)
    assert.equal("explore", next_item().work_item.kind)
    assert.equal(7, items("--claim", "none").status)
  end)

  it("finds its claim when the answer is lost", function()
    start { "--fault", "502-after-commit" }
    local done = items("--next")
    assert.equal(0, done.status, done.stderr)
    assert.matches("found after its answer was lost", done.stderr)
    assert.same({ 1, 0 }, { miner:count() })
  end)

  it("with --dry-run prints the request, an empty object when there is nothing to say", function()
    start()
    local done = items("--next", "--dry-run")
    assert.equal(0, done.status, done.stderr)
    assert.matches("^POST %S+/api/v1/work%-items/[%x-]+/claim\n.*\n\n{}\n$", done.stdout)
    assert.same({ 0, 0 }, { miner:count() })
  end)
end)
