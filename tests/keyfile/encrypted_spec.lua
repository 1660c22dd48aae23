local fs = require "core.fs"
local keybox = require "core.keybox"
local json = require "bittern.json"
local keyfile = require "bittern.keyfile"
local nacl = require "tests.nacl"
local support = require "tests.support"
local wallet = require "bittern.wallet"

local ADDRESS <const> = "5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV"
local PHRASE <const> = "bottom drive obey lake curtain smoke basket hold race lonely fit walk"
local ALICE <const> = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
local PASSWORD <const> = "pässword 1"

local function file(fields)
  return assert(json.encode(fields))
end

local plain = file { secretPhrase = PHRASE, ss58Address = ADDRESS }

describe("an encrypted hotkey file", function()
  local home, password

  local function open(name, options)
    local all = options or { password_file = password }
    all.hotkey_file, all.terminal = home .. "/" .. name, false
    return wallet.open(all)
  end

  local function refused(code, says, name, options)
    local opened, message, id = open(name, options)
    assert.is_nil(opened)
    assert.equal(code, id, message)
    assert.matches(says, message)
    assert.matches(home .. "/" .. name .. ": ", message, 1, true)
    for _, secret in ipairs { PASSWORD, "bottom", "walk" } do
      assert.is_nil(message:find(secret, 1, true), message)
    end
  end

  setup(function()
    home = support.folder()
    password = home .. "/password"
    assert(fs.write(password, PASSWORD .. "\nnot this line\n", { mode = 0x180 }))
    assert(fs.write(home .. "/testing", "testing", { mode = 0x180 }))
    assert(fs.write(home .. "/empty", "\n", { mode = 0x180 }))
    nacl.encrypt(PASSWORD, {
      [home .. "/m"] = plain,
      [home .. "/text"] = "coldkey seed: none\nhotkey mnemonic: " .. PHRASE .. "\n",
      [home .. "/other"] = file { secretPhrase = PHRASE, ss58Address = ALICE },
    })
    nacl.encrypt_with(nacl.TESTING, { [home .. "/s"] = plain })
  end)

  it("opens with BitSota's limits and with btcli's", function()
    for name, file_of_password in pairs { m = password, s = home .. "/testing" } do
      local opened = assert(open(name, { password_file = file_of_password }))
      assert.equal(ADDRESS, opened.key:address())
      assert.same({}, opened.warnings)
      opened.key:close()
    end
  end)

  it("opens as a wallet file", function()
    local text = { wallet_file = home .. "/text", password_file = password }
    assert.equal(ADDRESS, assert(wallet.open(text)).address)
  end)

  it("is refused without a password and with an empty one (password_spec: a wrong one)", function()
    refused("key_encrypted", "nobody may be asked", "m", {})
    refused("key_password", "the password is empty", "m", { password_file = home .. "/empty" })
    refused("config", "password file .*/none: No such file", "m",
      { password_file = home .. "/none" })
  end)

  it("is refused for what it holds, as a plain one is", function()
    refused("key_address", "its secret is that of " .. ADDRESS, "other")
  end)

  it("tells that it is one without being opened", function()
    local text <close> = assert(keybox.read(home .. "/m"))
    assert.same({ kind = "encrypted" }, keyfile.glance(text))
  end)

  it("is refused when it is cut short", function()
    assert(fs.write(home .. "/cut", assert(fs.read(home .. "/m")):sub(1, 44), { mode = 0x180 }))
    refused("key", "shorter than its header", "cut")
  end)

  it("opens for commands, by a descriptor", function()
    local sign = { "sign", "--method", "GET", "--path", "/p", "--hotkey-file", home .. "/m" }
    local function run(...)
      local argv = table.move({ ... }, 1, select("#", ...), #sign + 1, { table.unpack(sign) })
      return support.bittern(home, argv, { input = PASSWORD .. "\n" })
    end
    local done = run("--password-fd", "0")
    assert.equal(0, done.status, done.stderr)
    assert.matches("X-Hotkey: " .. ADDRESS, done.stdout, 1, true)
    done = run()
    assert.equal(4, done.status)
    assert.matches("next: answer at a terminal, or name --password-file", done.stderr, 1, true)
    assert.equal(2, run("--password-fd", "1").status)
    assert.equal(2, run("--password-fd", "x").status)
    assert.equal(3, run("--password-fd", "99").status)
  end)
end)
