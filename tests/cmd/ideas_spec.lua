-- Ideas of others, and what rewards would be ours: against a coordinator with two miners.
local fs = require "core.fs"
local process = require "core.process"

local coordinator = require "bittern.coordinator"
local json = require "bittern.json"
local payout = require "bittern.payout"
local rewards = require "bittern.rewards"

local mining = require "tests.mining"
local practice = require "tests.practice.support"
local support = require "tests.support"

local TERNARY <const> = "tiny-ternary-frontier"

describe("bittern ideas and rewards", function()
  local miner, alice, validator, address

  setup(function()
    miner = mining.start()
    alice = assert(coordinator.new { url = miner.url, key = practice.alice })
    local key = require "bittern.practice.validator_key"
    validator = assert(coordinator.new { url = miner.url,
      key = assert(key.load(miner.home .. "/coordinator")) })
    address = miner:run({ "wallet", "show" }).stdout:match("5%w+")
  end)
  teardown(function() miner:stop() end)

  local function submit(ppl, extra)
    local task = assert(alice:find(TERNARY))
    local sent = assert(alice:submit(practice.submission(assert(alice:claim(task, "x")), extra)))
    local job = assert(validator:claim_job(task.id))
    assert(validator:job_result(job.job_id, { submission_id = sent.id, status = ppl and "accepted"
      or "rejected", observed_metrics = { heldout_ppl = ppl } }))
    return sent.id
  end

  it("has none before there is one, and none where the mode has none", function()
    local done = miner:run { "ideas", TERNARY }
    assert.same({ 0, "" }, { done.status, done.stdout })
    assert.matches("no idea of another miner yet", done.stderr)
    local standard = miner:run { "ideas", "tiny-binary-frontier" }
    assert.equal(9, standard.status)
    assert.matches("its mode is standard, which knows no ideas", standard.stderr)
  end)

  it("shows those of others, accepted ones first, and never one's own", function()
    local rejected = submit(nil, { proposed_idea = "try \27[31mnothing" })
    local accepted = submit(6.0, { proposed_idea = "rescue the rows that hurt most, "
      .. ("and more "):rep(20) })
    local done = miner:run { "ideas", TERNARY }
    assert.equal(0, done.status, done.stderr)
    assert.matches("accepted +6 +0 +rescue.*rejected +%- +0 +try nothing", done.stdout)
    assert.truthy(done.stdout:find(accepted, 1, true) < done.stdout:find(rejected, 1, true))
    assert.falsy(done.stdout:find("\27", 1, true))
    local full = miner:run({ "ideas", TERNARY, "--full" }).stdout:gsub("%s+", " ")
    assert.truthy(full:find("hurt most, " .. ("and more "):rep(20), 1, true), full)
    assert(fs.write(miner.home .. "/alice", assert(json.encode { secretSeed = "0x" ..
      ("01"):rep(32) }), { mode = 384 }))
    local own = support.bittern(miner.home, { "--coordinator", miner.url, "ideas", TERNARY,
      "--json", "--hotkey-file", miner.home .. "/alice" })
    assert.same({}, json.decode(own.stdout).ideas)
    local nobody = support.bittern(miner.home, { "--coordinator", miner.url, "ideas", TERNARY })
    assert.same({ 4, "" }, { nobody.status, nobody.stdout })
  end)

  it("explains the share of a snapshot", function()
    local done = miner:run { "rewards", "--address", practice.alice:address() }
    assert.equal(0, done.status, done.stderr)
    assert.matches("tiny%-ternary%-frontier +accepted_plus_best +1 +50.00 %% +1 +1 +2 +100.00 %% "
      .. "+50.00 %%", done.stdout)
    assert.matches("would get 50.00 %% of the pool", done.stderr)
    assert.matches("none of this is guaranteed", done.stderr)
    local mine = json.decode(miner:run({ "rewards", "--json" }).stdout)
    assert.same({ address, 0 }, { mine.hotkey, mine.of_pool })
    local miners = miner:run { "rewards", TERNARY, "--address", practice.alice:address() }
    assert.matches("1 +" .. practice.alice:address() .. " +2 +100.00 %% +you", miners.stdout)
    assert.equal(7, miner:run({ "rewards", "nowhere" }).status)
    assert.equal(2, miner:run({ "rewards", "--address", "me" }).status)
  end)

  it("counts weights, odd scores and names nobody documents", function()
    local list, sum = rewards.shares({ competitions = {
      { slug = "a", weight = 3, miners = { { miner_hotkey = "x", score = 1 },
        { hotkey = "y", score = 3 }, { other = "z", score = 4 }, { hotkey = "w", score = -1 } } },
      { slug = "b", miners = {} },
    } }, "x")
    assert.same({ 0.75, 2, 0.125 }, { list[1].pool_share, list[1].place, list[1].share })
    assert.same({ 0.25, 0 }, { list[2].pool_share, list[2].of_pool })
    assert.equal(0.75 * 0.125, sum)
    assert.same({}, (rewards.shares({}, "x")))
  end)

  it("looks at payouts and claims nothing", function()
    local hotkey = practice.alice:address()
    local path = miner.home .. "/pool.json"
    assert(fs.write(path, assert(json.encode {
      ["GET /claims/epochs"] = { body = '{"epochs":[7,9,8]}' },
      ["GET /claims/epoch/8/claim/" .. hotkey] = { body = '{"epoch":8,"index":3,"hotkey":"'
        .. hotkey .. '","amount_units":9007199254740993,"proof":[],"root":"0xab"}' },
    })))
    local child <close> = assert(process.spawn { argv = { support.bin, "run", support.root
      .. "/tests/fixtures/answers.lua", path }, stdout = "pipe", stderr = "null" })
    local pool = "http://127.0.0.1:" .. assert(child:read_line(20)) .. "/claims/"
    local done = miner:run { "rewards", "--payout", "--pool", pool, "--address", hotkey }
    assert.equal(0, done.status, done.stderr)
    assert.matches("epoch +8\namount_rao +9007199254740993\nrecipient +" .. hotkey, done.stdout)
    assert.matches("no recipient coldkey is set", done.stderr)
    assert.matches("nothing for 5%w+ in the newest 3 epochs",
      miner:run({ "rewards", "--payout", "--pool", pool }).stderr)
    assert.equal(2, miner:run({ "rewards", "--payout" }).status)
    assert.equal("https://pool.bitsota.com/claims", payout.url(coordinator.PRODUCTION))
  end)

  it("fit a terminal of 80 columns, with what there is no room for left out", function()
    if not support.has_terminals() then return pending("no pseudo-terminals here") end
    for _, command in ipairs { { "rewards", "--address", practice.alice:address() },
      { "rewards", TERNARY }, { "ideas", TERNARY, "--hotkey-file", miner.home .. "/hotkey" } } do
      local shown = support.at_terminal(miner.home, "", { "--coordinator", miner.url,
        table.unpack(command) }).stdout
      for line in shown:gmatch("[^\n]+") do
        assert.is_true((utf8.len(line) or #line) <= 80, line)
      end
    end
  end)
end)
