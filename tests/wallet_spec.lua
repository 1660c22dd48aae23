local fs = require "core.fs"
local lfs = require "lfs"
local sr25519 = require "core.sr25519"
local hex = require "bittern.hex"
local json = require "bittern.json"
local keyfile = require "bittern.keyfile"
local support = require "tests.support"
local wallet = require "bittern.wallet"

local PHRASE = "bottom drive obey lake curtain smoke basket hold race lonely fit walk"
local SEED = "fac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e"
local PRIVATE = "05d65584630d16cd4af6d0bec10f34bb504a5dcb62dba2122d49f5a663763d0a"
  .. "fd190cce74df356432b410bd64682309d6dedb27c76845daf388557cbac3ca34"
local PUBLIC = "46ebddef8cd9bb167dc30878d7113b7e168e6f0646beffd77d69d39bad76b47a"
local ADDRESS = "5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV"
local ALICE = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
local ALICE_SEED = "e5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a"

local function no_environment() return nil end

-- A file only its owner reads.
local function put(text, path)
  path = path or support.folder() .. "/hot"
  assert(fs.write(path, text, { mode = 0x180 }))
  return path
end

local function open(text, option)
  return wallet.open { [option or "hotkey_file"] = put(text), env = no_environment }
end

-- No message may carry any part of a secret.
local function assert_no_secret(message)
  for word in PHRASE:gmatch("%l+") do
    assert.is_nil((" " .. message .. " "):find("%A" .. word .. "%A"), message)
  end
  assert.is_nil(message:find(SEED:sub(1, 8), 1, true), message)
  assert.is_nil(message:find(PRIVATE:sub(1, 8), 1, true), message)
end

local function refused(code, text, option)
  local opened, message, id = open(text, option)
  assert.is_nil(opened)
  assert.equal(code, id, message)
  assert_no_secret(message)
  return message
end

local function file(fields)
  return assert(json.encode(fields))
end

describe("bittern.wallet opens", function()
  local function opens(text, option)
    local opened, message = open(text, option)
    assert(opened, message)
    assert.equal(ADDRESS, opened.address)
    assert.equal(ADDRESS, opened.key:address())
    assert.same({}, opened.warnings)
    opened.key:close()
  end

  it("a hotkey file by its phrase, its seed or its private key", function()
    local known = { ss58Address = ADDRESS, publicKey = "0x" .. PUBLIC, accountId = "0x" .. PUBLIC }
    for name, value in pairs {
      secretPhrase = PHRASE, secretSeed = "0x" .. SEED, privateKey = "0x" .. PRIVATE,
    } do
      local fields = { [name] = value }
      opens(file(fields))
      for key, stored in pairs(known) do fields[key] = stored end
      opens(file(fields))
    end
  end)

  it("a hotkey file with nulls, an older address key, a crypto type in text", function()
    opens(([[{"secretPhrase":null,"secretSeed":"%s"," ss58Address":"%s","cryptoType":"1",
      "privateKey":"", "publicKey":null, "more":[1.5]}]]):format(SEED, ADDRESS))
  end)

  it("the phrase before the seed before the private key", function()
    opens(file { secretPhrase = PHRASE, secretSeed = "0x" .. ALICE_SEED, ss58Address = ADDRESS })
    opens(file { secretSeed = SEED, privateKey = "0x" .. ("7"):rep(128), ss58Address = ADDRESS })
  end)

  it("bare phrases, seeds and private keys", function()
    opens(PHRASE)
    opens("  " .. PHRASE:upper():gsub(" ", "\n") .. "\n")
    opens(SEED)
    opens("0x" .. SEED .. "\n")
    opens(PRIVATE:upper())
  end)

  it("a mnemonic file", function()
    opens(PHRASE .. "\n", "wallet_file")
    opens(PHRASE:gsub(" ", "\r\n"), "wallet_file")
    opens(file { secretPhrase = PHRASE, ss58Address = ADDRESS }, "wallet_file")
  end)

  it("a file in the wallets' layout, by option, environment or default", function()
    local home = support.folder()
    local function place(at, seed)
      assert(fs.mkdir(home .. "/" .. at:match("^(.*)/")))
      put(file { secretSeed = seed }, home .. "/" .. at)
    end
    place(".bittensor/wallets/default/hotkeys/default", SEED)
    place(".bittensor/wallets/w1/hotkeys/h1", ALICE_SEED)
    place("other/default/hotkeys/default", ALICE_SEED)
    local function found(options, environment)
      environment = environment or {}
      environment.HOME = home
      options.env = function(name) return environment[name] end
      local opened = assert(wallet.open(options))
      opened.key:close()
      return opened.address, opened.path
    end
    assert.equal(ADDRESS, found {})
    assert.equal(home .. "/.bittensor/wallets/default/hotkeys/default", (select(2, found {})))
    assert.equal(ALICE, found { wallet = "w1", hotkey = "h1" })
    assert.equal(ALICE, found { wallet_path = "~/other/" })
    assert.equal(ALICE, found { hotkey_file = "~/other/default/hotkeys/default" })
    assert.equal(ALICE, (found({}, { BT_WALLET_NAME = "w1", BT_WALLET_HOTKEY = "h1" })))
    assert.equal(ALICE, (found({}, { BT_WALLET_PATH = home .. "/other" })))
    assert.equal(ADDRESS, (found({ wallet = "default", hotkey = "default" },
      { BT_WALLET_NAME = "w1", BT_WALLET_HOTKEY = "h1" })))
  end)

  it("a key that signs", function()
    local opened = assert(open(PHRASE))
    local signature = opened.key:sign("m")
    assert.is_true(sr25519.verify(opened.key:public(), "m", signature))
    opened.key:close()
  end)
end)

describe("bittern.wallet refuses", function()
  it("a file whose secret is not its address's", function()
    local message = refused("key_address", file { secretSeed = SEED, ss58Address = ALICE })
    assert.is_truthy(message:find(ADDRESS, 1, true) and message:find(ALICE, 1, true))
    refused("key_address", file { secretPhrase = PHRASE, ss58Address = "nonsense" })
    refused("key_address", file { secretPhrase = PHRASE, ss58Address = 5 })
    refused("key_address", file { secretPhrase = PHRASE, publicKey = "0x" .. ("00"):rep(32) })
    refused("key_address", file { privateKey = PRIVATE, accountId = "0x12" })
  end)

  it("a public half", function()
    assert.matches(ADDRESS, refused("key_public_only", file { ss58Address = ADDRESS }))
    refused("key_public_only", ('{"ss58Address":"%s","secretPhrase":null,"secretSeed":""}')
      :format(ADDRESS))
    assert.matches("holds no key", refused("key", "{}"))
  end)

  it("secrets that are no secrets, without quoting them", function()
    refused("key", file { secretPhrase = PHRASE:gsub("obey", "obeyy") })
    refused("key", file { secretPhrase = PHRASE .. " walk" })
    refused("key", file { secretPhrase = PHRASE:gsub("walk", "wall"), secretSeed = SEED })
    refused("key", file { secretPhrase = { PHRASE } })
    refused("key", file { secretSeed = SEED .. "00" })
    refused("key", file { secretSeed = SEED:gsub("f", "g") })
    refused("key", file { secretSeed = 5 })
    refused("key", file { privateKey = SEED })
    refused("key", file { privateKey = ("ff"):rep(64) })
    refused("key", SEED .. "0")
    refused("key", "0x0x" .. SEED)
    refused("key", PHRASE .. "!")
  end)

  it("text that is no key file, without quoting it", function()
    refused("key", "")
    assert.matches("holds no key", refused("key", " \n"))
    refused("key", '{"secretPhrase":"' .. PHRASE)
    refused("key", '{"secretPhrase":' .. PHRASE .. "}")
    refused("key", '{"secretSeed":"' .. SEED .. '","secretSeed":"' .. ALICE_SEED .. '"}')
    refused("key", '["' .. PHRASE .. '"]')
    refused("key", ("x"):rep(70000))
    refused("key", "\0\1\2")
  end)

  it("kinds of keys that it cannot use, by name", function()
    local function reason(text, option) return refused("key", text, option) end
    assert.matches("encrypted .* %(%$ANSIBLE_VAULT%)", reason "$ANSIBLE_VAULT;1.1;AES256\n6238")
    assert.matches("encrypted .* %(gAAAAA%)", reason "gAAAAABf1234")
    assert.matches("encrypted .* %(gAAAAA%)", reason("gAAAAABf1234", "wallet_file"))
    assert.matches("polkadot.js", reason(file {
      encoded = "AbCd", encoding = { content = { "pkcs8", "sr25519" } }, address = ADDRESS,
    }))
    assert.matches("ed25519", reason(file { secretSeed = SEED, cryptoType = 0 }))
    assert.matches("ed25519", reason(file { secretSeed = SEED, cryptoType = "0" }))
    -- Without a type, the address tells.
    local address = sr25519.address(sr25519.ed25519(hex.decode(SEED)))
    assert.matches("ed25519", reason(file { secretSeed = SEED, ss58Address = address }))
    assert.matches("ed25519", reason(file { secretPhrase = PHRASE, ss58Address = address }))
    assert.matches("cryptoType", reason(file { secretSeed = SEED, cryptoType = 2 }))
    assert.matches("not known here", reason(file { secretSeed = SEED, hashedDescriptor = "0x1" }))
  end)

  it("a file with two mnemonics", function()
    local text = PHRASE .. "\n" .. sr25519.generate():text() .. "\n"
    assert.matches("several mnemonics", refused("key", text, "wallet_file"))
    assert.matches("several mnemonics", refused("key", text))
  end)

  it("the wallet's coldkey under a hotkey's name", function()
    local folder = support.folder()
    assert(fs.mkdir(folder .. "/hotkeys"))
    put(file { ss58Address = ADDRESS, publicKey = "0x" .. PUBLIC }, folder .. "/coldkeypub.txt")
    local path = put(file { secretPhrase = PHRASE }, folder .. "/hotkeys/h")
    local opened, message, code = wallet.open { hotkey_file = path }
    assert.is_nil(opened)
    assert.equal("key", code)
    assert.equal(path .. ": holds the wallet's coldkey, not a hotkey", message)
    put(file { ss58Address = ALICE }, folder .. "/coldkeypub.txt")
    assert.equal(ADDRESS, assert(wallet.open { hotkey_file = path }).address)
  end)

  it("a coldkey, whatever way it is reached", function()
    local folder = support.folder()
    local coldkey = put(file { secretPhrase = PHRASE }, folder .. "/coldkey")
    assert(lfs.link(coldkey, folder .. "/hot", true))
    local around = folder .. "/../" .. coldkey:match("[^/]+/coldkey$")
    for _, path in ipairs { coldkey, folder .. "/hot", around } do
      local opened, message, code = wallet.open { hotkey_file = path }
      assert.is_nil(opened)
      assert.equal("key", code)
      assert.matches("coldkey", message)
    end
    assert(fs.mkdir(folder .. "/hotkeys"))
    local hotkey = put(file { secretPhrase = PHRASE }, folder .. "/hotkeys/coldkey")
    local opened = assert(wallet.open { hotkey_file = hotkey })
    assert.equal(ADDRESS, opened.address)
  end)

  it("files that cannot be read", function()
    local folder = support.folder()
    assert(lfs.link(folder .. "/loop", folder .. "/loop", true))
    assert.equal("key_missing", select(3, wallet.open { hotkey_file = folder .. "/none" }))
    local paths = { folder, folder .. "/loop", "/proc/self/mem" }
    if support.run { "id", "-u" }.stdout ~= "0\n" then
      paths[#paths + 1] = put("x", folder .. "/locked")
      os.execute("chmod 000 " .. folder .. "/locked")
    end
    for _, path in ipairs(paths) do
      local opened, message, code = wallet.open { hotkey_file = path }
      assert.is_nil(opened)
      assert.equal("key_unreadable", code)
      assert.is_truthy(message:find(path, 1, true))
    end
  end)

  it("names that lead elsewhere, and options that exclude each other", function()
    for _, name in ipairs { "", ".", "..", "../../x", "a/b" } do
      assert.equal("usage", select(3, wallet.open { hotkey = name, env = no_environment }))
      assert.equal("usage", select(3, wallet.open { wallet = name, env = no_environment }))
    end
    assert.equal("usage", select(3, wallet.open { hotkey_file = "a", wallet_file = "b" }))
    assert.equal("usage", select(3, wallet.open { password_file = "a", password_fd = 3 }))
    assert.equal("usage", select(3, wallet.open { hotkey_file = "" }))
    assert.error_matches(function() wallet.open { hotkeyfile = "a" } end, "mean 'hotkey_file'")
  end)
end)

describe("bittern.wallet warns", function()
  it("of a file that others may read or change", function()
    for _, mode in ipairs { "640", "604", "620", "644" } do
      local path = put(file { secretPhrase = PHRASE })
      os.execute("chmod " .. mode .. " " .. path)
      local opened = assert(wallet.open { hotkey_file = path })
      assert.equal(1, #opened.warnings)
      assert.is_truthy(opened.warnings[1]:find(path, 1, true))
      assert.matches("mode 0" .. mode, opened.warnings[1])
    end
  end)

  it("of a file that belongs to somebody else", function()
    local path = put(file { secretPhrase = PHRASE })
    if os.execute("chown 65533 " .. path .. " 2>/dev/null") then
      local opened = assert(wallet.open { hotkey_file = path })
      assert.matches("belongs to user 65533, not to you", opened.warnings[1])
    else
      assert.same({}, assert(wallet.open { hotkey_file = path }).warnings)
    end
  end)
end)

describe("bittern.wallet creates", function()
  it("a hotkey file for its owner only, that it opens again", function()
    local path = support.folder() .. "/w/hotkeys/h"
    local address = assert(wallet.create(path))
    assert.equal(0x180, fs.stat(path).mode)
    assert.equal(0x1C0, fs.stat(path:match("^(.*)/")).mode)
    local opened = assert(wallet.open { hotkey_file = path })
    assert.equal(address, opened.address)
    assert.same({}, opened.warnings)
    local fields = assert(json.decode(assert(fs.read(path))))
    assert.equal(address, fields.ss58Address)
    assert.equal(fields.publicKey, fields.accountId)
    assert.is_true(sr25519.check_mnemonic(fields.secretPhrase))
  end)

  it("another key each time, and never over one", function()
    local folder = support.folder()
    local first = assert(wallet.create(folder .. "/a"))
    assert.not_equal(first, assert(wallet.create(folder .. "/b")))
    local text = fs.read(folder .. "/a")
    local address, message, code = wallet.create(folder .. "/a")
    assert.is_nil(address)
    assert.equal("exists", code)
    assert.equal(folder .. "/a: File exists", message)
    assert.equal(text, fs.read(folder .. "/a"))
    assert.equal("usage", select(3, wallet.create(folder .. "/coldkey")))
  end)

  it("a file that Bittensor's reader order understands", function()
    local key <close> = assert(sr25519.from_mnemonic(PHRASE))
    assert.equal('{"accountId":"0x' .. PUBLIC .. '","cryptoType":1,"publicKey":"0x' .. PUBLIC
      .. '","secretPhrase":"' .. PHRASE .. '","secretSeed":null,"ss58Address":"' .. ADDRESS .. '"}',
      keyfile.text(key, PHRASE):text())
  end)
end)
