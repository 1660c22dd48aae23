local fs = require "core.fs"

local json = require "bittern.json"
local mining = require "tests.mining"
local sidecar = require "bittern.sidecar"

local BINARY <const> = "tiny-binary-frontier"

describe("bittern submit", function()
  local miner

  after_each(function() miner:stop() end)

  -- A file at a URL, and a sidecar that speaks of it; `changes` are made to the latter.
  local function prepare(size, changes)
    local file = miner.home .. "/a.zip"
    assert(fs.write(file, ("x"):rep(size)))
    local published = miner:run { "publish", file, "--to", "practice", "--json" }
    local result = assert(json.decode(published.stdout), published.stderr)
    local submission = {
      summary = "a summary", artifact_uri = result.url, artifact_sha256 = result.sha256,
      artifact_size_bytes = result.size,
      claimed_metrics = { heldout_ppl = 8.0, parameter_count = 2428672 },
    }
    for key, value in pairs(changes or {}) do submission[key] = value end
    return assert(sidecar.write(miner.home, submission))
  end

  local function submit(path, ...)
    return miner:run { "submit", BINARY, "--submission", path, ... }
  end

  it("sends a sidecar once", function()
    miner = mining.start()
    local path = prepare(1000)
    local claim = miner:run({ "claim", BINARY }).stdout:match("%S+")
    local done = submit(path)
    assert.equal(0, done.status, done.stderr)
    assert.same({ 1, 1 }, { miner:count() })
    -- The claim is used up; named, it leads to the same submission.
    local again = submit(path, "--claim", claim)
    assert.same({ 0, done.stdout }, { again.status, again.stdout })
    assert.same({ 1, 1 }, { miner:count() })
  end)

  it("finds its submission when the answer is lost", function()
    miner = mining.start { "--fault", "drop-submit-response" }
    local path = prepare(1000)
    miner:run { "claim", BINARY }
    local done = submit(path)
    assert.equal(0, done.status, done.stderr)
    assert.matches("found after its answer was lost", done.stderr)
    assert.same({ 1, 1 }, { miner:count() })
  end)

  it("with --dry-run prints the exact body and sends nothing", function()
    miner = mining.start()
    local path = prepare(1000)
    local claim = miner:run({ "claim", BINARY }).stdout:match("%S+")
    local done = submit(path, "--dry-run", "--json")
    assert.equal(0, done.status, done.stderr)
    local request = assert(json.decode(done.stdout)).request
    assert.matches('"claim_id":"' .. claim .. '"', request.body, 1, true)
    assert.matches('"heldout_ppl":8.0', request.body, 1, true)
    assert.equal("X-Signature: (redacted)", request.headers[3])
    assert.same({ 1, 0 }, { miner:count() })
  end)

  it("is stopped over the budget, with the exact bytes, and sends nothing", function()
    miner = mining.start()
    local path = prepare(398454 + 3)
    miner:run { "claim", BINARY }
    local done = submit(path, "--json")
    assert.equal(9, done.status, done.stderr)
    assert.matches("by 3 bytes", mining.failure(done).message, 1, true)
    assert.same({ 1, 0 }, { miner:count() })
  end)

  it("is stopped when the sidecar speaks of other bytes than the URL gives", function()
    miner = mining.start()
    miner:run { "claim", BINARY }
    local done = submit(prepare(1000, { artifact_sha256 = ("0"):rep(64) }), "--json")
    assert.equal(12, done.status)
    assert.matches("gives other bytes", mining.failure(done).message, 1, true)
    done = submit(prepare(1000, { artifact_size_bytes = 999 }), "--json")
    assert.equal(12, done.status)
    assert.matches("gives 1000 bytes, not 999", mining.failure(done).message, 1, true)
    assert.same({ 1, 0 }, { miner:count() })
  end)

  it("names file, line and column of a sidecar that is no JSON, and sends nothing", function()
    miner = mining.start()
    miner:run { "claim", BINARY }
    local path = miner.home .. "/bad.json"
    assert(fs.write(path, '{"summary":\n "cut'))
    for _, command in ipairs { "submit", "check" } do
      local done = miner:run { command, BINARY, "--submission", path, "--json" }
      assert.same({ 9, "sidecar" }, { done.status, mining.failure(done).id })
      assert.matches(path .. ":2:2: ", mining.failure(done).message, 1, true)
    end
    assert.same({ 1, 0 }, { miner:count() })
  end)

  it("needs a claim, and says how to get one", function()
    miner = mining.start()
    local done = submit(prepare(1000), "--json")
    assert.equal(7, done.status)
    assert.matches("`bittern claim tiny-binary-frontier` takes one", mining.failure(done).message,
      1, true)
  end)
end)
