-- bittern doctor: findings with fixes, and a report that others may read.
local fs = require "core.fs"
local json = require "bittern.json"
local serving = require "tests.practice.serving"
local support = require "tests.support"

local WORDS <const> = ("abandon "):rep(11) .. "about"
local IDS <const> = { "coordinator", "clock", "routes", "hotkey", "hub", "disk", "memory", "cpu",
  "libraries", "proxy", "locale", "sandbox", "scripts" }

local function doctor(home, env, ...)
  return support.bittern(home, { "doctor", ... }, { env = env })
end

-- {id = findings}
local function findings(home, env, ...)
  local done = doctor(home, env, "--json", ...)
  local value = assert(json.decode(done.stdout), done.stderr)
  local by_id = {}
  for _, finding in ipairs(value.findings) do
    by_id[finding.id] = by_id[finding.id] or {}
    table.insert(by_id[finding.id], finding)
    assert.is_true(finding.state == "ok" or finding.fix ~= nil, finding.text)
  end
  return by_id, done.status, value
end

-- A user with a hotkey of the well-known words.
local function user(mode)
  local home = support.folder()
  local dir = home .. "/.bittensor/wallets/default/hotkeys"
  assert(fs.mkdir(dir, 0x1C0))
  assert(fs.write(dir .. "/default", WORDS .. "\n", { mode = mode or 0x180 }))
  return home
end

describe("bittern doctor", function()
  local child, url

  setup(function()
    child, url = serving.start(support.folder(), { "--no-validator" })
  end)

  teardown(function() serving.stop(child) end)

  it("finds nothing bad where all is well", function()
    local home = user()
    local env = { BITSOTA_COORDINATOR_URL = url, HF_TOKEN = "hf_x" }
    local by_id, status, value = findings(home, env, "--model", support.model)
    assert.equal(0, status)
    assert.equal(0, value.bad)
    for _, id in ipairs(IDS) do assert.is_truthy(by_id[id], id) end
    for _, id in ipairs { "coordinator", "clock", "routes", "hotkey", "hub", "disk", "cpu" } do
      assert.equal("ok", by_id[id][1].state, by_id[id][1].text)
    end
    assert.matches("%(BITSOTA_COORDINATOR_URL%): %d+ tasks, %d+ live", by_id.coordinator[1].text)
    assert.matches("hotkeys/default, address 5%w+$", by_id.hotkey[1].text)
    assert.matches("needed for artifacts of", by_id.disk[1].text)
    assert.matches("curl [78]%.%d", by_id.libraries[1].text)
    assert.matches("sqlite3 3%.%d", by_id.libraries[1].text)
    assert.matches("kept in by no_new_privs, .*limits, seccomp", by_id.scripts[1].text)
    local text = doctor(home, { BITSOTA_COORDINATOR_URL = url })
    assert.equal(0, text.status)
    assert.matches("\nok    hotkey ", text.stdout)
  end)

  it("says what is bad, how to mend it, and exits with 1", function()
    local home = user(0x1A4)
    local by_id, status = findings(home, { BITSOTA_COORDINATOR_URL = "http://127.0.0.1:1",
      HF_TOKEN = "two words", BITTERN_ISA = "scalar", LANG = "C",
      https_proxy = "http://me:canary@127.0.0.1:2" })
    assert.equal(1, status)
    assert.equal("bad", by_id.coordinator[1].state)
    assert.equal("warning", by_id.clock[1].state)
    assert.equal("bad", by_id.hotkey[2].state)
    assert.matches("chmod 600", by_id.hotkey[2].text)
    assert.equal("bad", by_id.hub[1].state)
    assert.matches("because of BITTERN_ISA", by_id.cpu[1].text)
    assert.equal("warning", by_id.locale[1].state)
    assert.equal("https_proxy=http://[redacted]@127.0.0.1:2", by_id.proxy[1].text)
  end)

  it("asks nobody when it may not, and minds a hotkey that was named", function()
    local by_id, status = findings(support.folder(), {}, "--offline")
    assert.equal(0, status)
    assert.equal("warning", by_id.coordinator[1].state)
    assert.equal("warning", by_id.hotkey[1].state)
    by_id, status = findings(support.folder(), {}, "--offline", "--hotkey-file", "/nowhere")
    assert.equal(1, status)
    assert.equal("bad", by_id.hotkey[1].state)
    by_id = findings(support.folder(), {}, "--offline", "--model", "/nowhere")
    assert.equal("bad", by_id.disk[1].state)
  end)

  it("tells of a clock that is off", function()
    local off, address = serving.start(support.folder(), { "--no-validator", "--fault",
      "clock-ahead:400" })
    local by_id, status = findings(user(), { BITSOTA_COORDINATOR_URL = address })
    serving.stop(off)
    assert.equal(1, status)
    assert.equal("bad", by_id.clock[1].state)
    assert.matches("timedatectl", by_id.clock[1].fix)
  end)

  it("writes a report without secrets, for its owner to read first", function()
    local home = user()
    local file = support.folder() .. "/report.json"
    local env = {
      BITSOTA_COORDINATOR_URL = url:gsub("://", "://canary-user:canary-pass@"),
      HF_TOKEN = "canary-token", BITTERN_PUT_PASSWORD = "canary-password",
      BITTERN_X = "canary-token inside", AWS_SECRET_ACCESS_KEY = "canary-aws",
      BT_PW_X = "canary-bt", MY_MNEMONIC = WORDS, BITTERN_Y = WORDS,
      https_proxy = "http://canary-a:canary-b@127.0.0.1:3",
    }
    local done = doctor(home, env, "--report", file)
    local text = assert(fs.read(file), done.stderr)
    assert.equal(0x180, assert(fs.stat(file)).mode & 0xFFF)
    local report = assert(json.decode(text))
    assert.is_true(#report.findings >= #IDS)
    assert.equal("[redacted] inside", report.variables.BITTERN_X)
    for _, secret in ipairs { "canary", "abandon", home } do
      assert.is_nil(text:find(secret, 1, true), secret)
    end
    for _, secret in ipairs { "canary%-[tpab]", "abandon" } do
      assert.is_nil((done.stdout .. done.stderr):find(secret), secret)
    end
  end)
end)
