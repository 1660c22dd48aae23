-- What --decide decided: kept with its reason, for every command, until page or record say another
-- thing.
local json = require "bittern.json"
local mining = require "tests.mining"
local support = require "tests.support"

local BINARY <const> = "tiny-binary-frontier"

describe("a decision", function()
  local miner

  before_each(function()
    miner = mining.start()
    miner:ask "UPDATE task SET record = json_set(record, '$.result_path', 'other.json')"
  end)
  after_each(function() miner:stop() end)

  local function rules(...)
    return support.bittern(miner.home, { "--coordinator", miner.url, "rules", BINARY, ... })
  end

  local function rule()
    for _, found in ipairs(json.decode(rules("--json").stdout).rules) do
      if found.id == "contradiction.result_path" then return found end
    end
    return nil
  end

  local function claim() return miner:run({ "claim", BINARY, "--dry-run" }).status end

  it("holds for every command, and rules shows when and why", function()
    assert.same({ "STOP", 9 }, { rule().state, claim() })
    local done = rules("--decide", "result_path=asked in the channel")
    assert.equal(0, done.status, done.stderr)
    assert.matches("contradiction.result_path +decided", done.stdout)
    assert.matches("decided %d s ago, by the record %(asked in the%s+channel%): result_path: line",
      done.stdout)
    assert.is_nil(done.stderr:find("STOP", 1, true))
    assert.same({ "decided", "asked in the channel" }, { rule().state, rule().decision.why })
    done = miner:run { "claim", BINARY }
    assert.equal(0, done.status, done.stderr)
    assert.matches("decided before: result_path: line", done.stderr, 1, true)
  end)

  it("is asked for again when the page or the record says another thing", function()
    miner:run { "claim", BINARY, "--decide", "result_path", "--dry-run" }
    assert.equal(0, claim())
    miner:ask "UPDATE task SET record = json_set(record, '$.result_path', 'third.json')"
    assert.equal(9, claim())
    miner:ask "UPDATE task SET record = json_set(record, '$.result_path', 'other.json')"
    assert.equal(0, claim())
    miner:ask "UPDATE task SET onboard_md = onboard_md || ' '"
    assert.equal(9, claim())
  end)

  it("is asked for again when it is forgotten, and is one coordinator's", function()
    rules("--decide", "result_path")
    assert.equal(0, claim())
    local here = miner.url
    miner.url = here:gsub("127.0.0.1", "localhost")
    assert.equal(9, claim())
    miner.url = here
    assert.equal(0, rules("--forget").status)
    assert.equal(9, claim())
  end)
end)
