local fs = require "core.fs"

local json = require "bittern.json"
local mining = require "tests.mining"
local practice = require "tests.practice.support"
local support = require "tests.support"

local BINARY <const> = "tiny-binary-frontier"

describe("bittern claim", function()
  local miner

  after_each(function() miner:stop() end)

  it("takes one claim, however often it is asked", function()
    miner = mining.start()
    local first = miner:run { "claim", BINARY, "--description", "a plan" }
    assert.equal(0, first.status, first.stderr)
    local again = miner:run { "claim", BINARY:upper(), "--json" }
    local result = assert(json.decode(again.stdout))
    assert.same({ first.stdout, "reused" }, { result.claim.id .. "\n", result.how })
    local rows = miner:ask("SELECT claim_description AS text FROM claim")
    assert.same({ { text = "a plan" } }, rows)
  end)

  it("finds its claim when the answer is lost", function()
    miner = mining.start { "--fault", "drop-claim-response" }
    local done = miner:run { "claim", BINARY }
    assert.equal(0, done.status, done.stderr)
    assert.matches("found after its answer was lost", done.stderr)
    assert.same({ 1, 0 }, { miner:count() })
  end)

  it("with --dry-run prints the exact request and sends nothing", function()
    miner = mining.start()
    local done = miner:run { "claim", BINARY, "--dry-run", "--description", "\u{e9}" }
    assert.equal(0, done.status, done.stderr)
    assert.matches("^POST http://127.0.0.1:%d+/api/v1/tasks/[%x-]+/claim\n", done.stdout)
    assert.matches("\nX-Signature: (redacted)\n", done.stdout, 1, true)
    assert.matches('\n{"claim_description":"\\u00e9"}\n', done.stdout, 1, true)
    assert.same({ 0, 0 }, { miner:count() })
  end)

  it("without a hotkey says how to name or make one", function()
    miner = mining.start()
    local done = support.bittern(support.folder(), { "--coordinator", miner.url, "claim", BINARY })
    assert.equal(4, done.status)
    assert.matches("next: name one %(%-%-hotkey%-file.*`bittern wallet new FILE`", done.stderr)
  end)

  it("refuses what is not live and lists what is", function()
    miner = mining.start()
    local done = miner:run { "claim", "tiny-binary-frontie", "--json" }
    assert.equal(7, done.status)
    assert.matches("did you mean 'tiny-binary-frontier'", mining.failure(done).message, 1, true)
  end)

  it("and mine refuse a mode that is not known, which tasks shows, and send nothing", function()
    local file = support.folder() .. "/task.json"
    assert(fs.write(file, assert(json.encode(practice.task { slug = "odd",
      competition_mode = "self_validation", base_ref = ("0123456789"):rep(4) }))))
    miner = mining.start { "--task", file }
    local shown = support.bittern(miner.home, { "--coordinator", miner.url, "tasks" })
    assert.matches("odd +self_validation", shown.stdout)
    assert.matches("'self_validation' is not known here: such tasks are shown, not", shown.stderr)
    for _, done in ipairs { miner:run { "claim", "odd" }, miner:mine("odd"),
      miner:run { "work-items", "odd", "--next" }, miner:run { "peer-evaluate", "odd" } } do
      assert.equal(9, done.status)
      assert.matches("'self_validation' is not known here", done.stderr)
    end
    assert.same({ 0, 0 }, { miner:count() })
  end)

  it("says at once that the stake is missing", function()
    miner = mining.start { "--fault", "no-stake" }
    local done = miner:run { "claim", BINARY, "--json" }
    assert.same({ 4, "stake" }, { done.status, mining.failure(done).id })
  end)
end)
