local fs = require "core.fs"
local json = require "bittern.json"
local support = require "tests.support"

-- Whether any word run or digits of the hotkey file at `path` come up in `text`.
local function assert_no_secret(path, text)
  local secret = assert(json.decode(assert(fs.read(path)))).secretPhrase
  assert.is_nil(text:find(secret, 1, true))
  for first, second in secret:gmatch("(%l+) (%l+)") do
    assert.is_nil(text:find(first .. " " .. second, 1, true))
  end
end

describe("bittern wallet", function()
  it("writes a new hotkey at its default place and shows it", function()
    local home = support.folder()
    local path = home .. "/.bittensor/wallets/default/hotkeys/default"
    local made = support.bittern(home, { "wallet", "new" })
    assert.equal(0, made.status)
    local address = made.stdout:match("^(5%w+)\n$")
    assert.equal(0x180, fs.stat(path).mode)
    assert_no_secret(path, made.stdout .. made.stderr)
    for _, argv in ipairs { { "wallet" }, { "wallet", "show" } } do
      local shown = support.bittern(home, argv)
      assert.equal(0, shown.status)
      assert.equal(address .. "\n", shown.stdout)
      assert.is_truthy(shown.stderr:find(path, 1, true))
      assert_no_secret(path, shown.stdout .. shown.stderr)
    end
    local shown = support.bittern(home, { "wallet", "show", "--json" })
    local expected = ('{"address":"%s","path":"%s","warnings":[]}\n'):format(address, path)
    assert.equal(expected, shown.stdout)
  end)

  it("replaces no file", function()
    local home = support.folder()
    local path = home .. "/key"
    assert.equal(0, support.bittern(home, { "wallet", "new", path }).status)
    local before = fs.read(path)
    local again = support.bittern(home, { "--json", "wallet", "new", path })
    assert.equal(2, again.status)
    assert.equal("exists", json.decode(again.stdout).error.id)
    assert.equal(before, fs.read(path))
  end)

  it("finds a hotkey by the environment, and warns when others may read it", function()
    local home = support.folder()
    local env = { BT_WALLET_PATH = home .. "/w", BT_WALLET_NAME = "a", BT_WALLET_HOTKEY = "b" }
    assert.equal(0, support.bittern(home, { "wallet", "new" }, { env = env }).status)
    local path = home .. "/w/a/hotkeys/b"
    os.execute("chmod 644 " .. path)
    local shown = support.bittern(home, { "wallet", "--json" }, { env = env })
    assert.equal(0, shown.status)
    local warnings = assert(json.decode(shown.stdout)).warnings
    assert.equal(1, #warnings)
    assert.matches("warning: .*chmod 600", shown.stderr)
  end)

  it("says what to do when there is no hotkey", function()
    local home = support.folder()
    local done = support.bittern(home, { "wallet", "show" })
    assert.equal(4, done.status)
    assert.equal("", done.stdout)
    local path = home .. "/.bittensor/wallets/default/hotkeys/default"
    assert.is_truthy(done.stderr:find("hotkey " .. path .. ": No such file", 1, true))
    assert.matches("next: ", done.stderr)
  end)

  it("names the public half of a key", function()
    local home = support.folder()
    local path = home .. "/pub.txt"
    local address = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
    assert(fs.write(path, json.encode { ss58Address = address }))
    local done = support.bittern(home, { "wallet", "show", "--hotkey-file", path, "--json" })
    assert.equal(4, done.status)
    local failure = json.decode(done.stdout).error
    assert.equal("key_public_only", failure.id)
    assert.is_truthy(failure.message:find(address, 1, true))
  end)
end)
