local fs = require "core.fs"
local sr25519 = require "core.sr25519"
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

  it("writes nothing with --dry-run, and says so when it could not", function()
    local home = support.folder()
    local path = home .. "/.bittensor/wallets/a/hotkeys/b"
    local argv = { "wallet", "new", "--wallet", "a", "--hotkey", "b", "--dry-run" }
    local done = support.bittern(home, argv)
    assert.same({ 0, "" }, { done.status, done.stdout })
    assert.matches("would write a new hotkey to " .. path, done.stderr, 1, true)
    argv[#argv + 1] = "--json"
    done = support.bittern(home, argv)
    assert.equal('{"dry_run":true,"mode":"0600","path":"' .. path .. '"}\n', done.stdout)
    assert.is_nil(fs.stat(home .. "/.bittensor"))
    assert(fs.mkdir(home .. "/.bittensor/wallets/a/hotkeys"))
    assert(fs.write(path, "x"))
    assert.equal(2, support.bittern(home, argv).status)
  end)

  it("writes the words to a file that is named, for its owner only", function()
    local home = support.folder()
    local words, path = home .. "/words", home .. "/key"
    local argv = { "wallet", "new", path, "--words", "24", "--mnemonic-to", words }
    local done = support.bittern(home, argv)
    assert.equal(0, done.status, done.stderr)
    assert_no_secret(path, done.stdout .. done.stderr)
    assert.equal(0x180, fs.stat(words).mode)
    assert.equal(24, select(2, fs.read(words):gsub("%l+", "")))
    local same = support.bittern(home, { "wallet", "show", "--wallet-file", words })
    assert.equal(done.stdout, same.stdout)
    argv[3] = home .. "/other"
    assert.equal(2, support.bittern(home, argv).status)
    assert.is_nil(fs.stat(home .. "/other"))
    assert.equal(2, support.bittern(home, { "wallet", "new", "--words", "13" }).status)
  end)

  it("shows the words at a terminal, when asked, and nowhere else", function()
    if not support.has_terminals() then return pending("no pseudo-terminals here") end
    local home = support.folder()
    local path = home .. "/key"
    for _, more in ipairs { "--quiet", "--json" } do
      local done = support.bittern(home, { "wallet", "new", path, "--show-mnemonic", more })
      assert.equal(2, done.status)
      assert.is_nil(fs.stat(path))
    end
    local done = support.at_terminal(home, "", { "wallet", "new", path, "--show-mnemonic" })
    assert.equal(0, done.status)
    local secret = assert(json.decode(assert(fs.read(path)))).secretPhrase
    assert.matches("\n" .. secret .. "\n", done.stdout, 1, true)
    os.remove(path)
    done = support.at_terminal(home, "", { "wallet", "new", path })
    assert_no_secret(path, done.stdout)
  end)

  it("lists every wallet and hotkey without opening one", function()
    local home = support.folder()
    local folder = home .. "/.bittensor/wallets"
    local function put(name, text, mode)
      assert(fs.mkdir((folder .. "/" .. name):match("^(.*)/")))
      assert(fs.write(folder .. "/" .. name, text, { mode = mode or 0x180 }))
    end
    local function public(letter)
      return json.encode { ss58Address = assert(sr25519.address(letter:rep(32))) }
    end
    local plain = json.encode {
      ss58Address = sr25519.address(("a"):rep(32)), secretPhrase = "never looked at",
    }
    put("w1/hotkeys/plain", plain)
    put("w1/hotkeys/open", plain, 0x1A4)
    put("w1/hotkeys/locked", "$NACL" .. ("x"):rep(80))
    put("w1/hotkeys/lockedpub.txt", public "b")
    put("w1/hotkeys/half", public "c")
    put("w1/hotkeys/words", "bottom drive obey")
    put("w1/coldkey", "$NACL" .. ("x"):rep(80))
    put("w1/coldkeypub.txt", public "d")
    put("w2/coldkeypub.txt", "nonsense")
    put(".hidden/hotkeys/h", plain)
    local done = support.bittern(home, { "wallet", "list", "--json" })
    assert.equal(0, done.status, done.stderr)
    local answer = assert(json.decode(done.stdout))
    assert.equal(folder, answer.folder)
    assert.equal(2, #answer.wallets)
    local first, second = answer.wallets[1], answer.wallets[2]
    assert.same({ "w2", 0 }, { second.name, #second.hotkeys })
    assert.is_nil(second.coldkey)
    assert.equal(sr25519.address(("d"):rep(32)), first.coldkey)
    local seen = {}
    for i, hotkey in ipairs(first.hotkeys) do
      local letter
      for c in ("abcd"):gmatch "." do
        if hotkey.address == sr25519.address(c:rep(32)) then letter = c end
      end
      seen[i] = ("%s %s %s %d"):format(hotkey.name, hotkey.kind, letter or "-",
        #hotkey.warnings)
    end
    assert.same({
      "half public c 0", "locked encrypted b 0", "open plain a 1", "plain plain a 0",
      "words plain - 0",
    }, seen)
    done = support.bittern(home, { "wallet", "list" })
    assert.matches("w1      locked  " .. sr25519.address(("b"):rep(32)) .. "  encrypted  ",
      done.stdout, 1, true)
    assert.matches("w2      -       -", done.stdout, 1, true)
    assert.matches("chmod 600", done.stderr)
    assert.is_nil(done.stdout:find("never looked at", 1, true))
  end)

  it("says that there is nothing to list", function()
    local home = support.folder()
    local done = support.bittern(home, { "wallet", "list", "--wallet-path", home .. "/none" })
    assert.equal(3, done.status)
    local said = "none: no folder of wallets; `bittern wallet new` makes one"
    assert.matches(said, done.stderr, 1, true)
    done = support.bittern(home, { "wallet", "list", "--wallet-path", home })
    assert.same({ 0, "" }, { done.status, done.stdout })
  end)

  it("checks that a hotkey is fit for use", function()
    local home = support.folder()
    local path = home .. "/keys/h"
    local made = support.bittern(home, { "wallet", "new", path })
    local function check(...)
      return support.bittern(home, { "wallet", "check", "--hotkey-file", path, ... })
    end
    local done = check()
    assert.same({ 0, made.stdout }, { done.status, done.stdout })
    assert_no_secret(path, done.stdout .. done.stderr)
    local answer = assert(json.decode(check("--json").stdout))
    assert.equal(3, #answer.checks)
    for _, entry in ipairs(answer.checks) do assert.is_true(entry.ok, entry.text) end
    os.execute("chmod 777 " .. home .. "/keys")
    done = check()
    assert.same({ 3, "" }, { done.status, done.stdout })
    assert.matches("BAD  stays .* chmod go%-w", done.stderr)
    os.execute("chmod 700 " .. home .. "/keys && chmod 604 " .. path)
    done = check("--json")
    assert.equal(3, done.status)
    assert.matches("run chmod 600 on it", json.decode(done.stdout).error.message)
    os.remove(path)
    assert.equal(4, check().status)
  end)
end)
