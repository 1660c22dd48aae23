-- The search of a wallet file, level by level (contract.md 2.6).
local keybox = require "core.keybox"
local sr25519 = require "core.sr25519"
local json = require "bittern.json"
local keyfile = require "bittern.keyfile"

local A <const> = "bottom drive obey lake curtain smoke basket hold race lonely fit walk"
local B <const> = ("abandon "):rep(11) .. "about"
local C <const> = "legal winner thank year wave sausage worth useful legal winner thank yellow"

local function address_of(words)
  local key <close> = assert(sr25519.from_mnemonic(words))
  return key:address()
end

local function search(text)
  local secret <close> = assert(keybox.join { text })
  local key, message, code = keyfile.search(secret)
  if not key then return nil, message, code end
  local address = key:address()
  key:close()
  return address
end

local function finds(words, text)
  local address, message = search(text)
  assert.equal(address_of(words), address, message)
end

local function refuses(says, text)
  local address, message, code = search(text)
  assert.is_nil(address)
  assert.matches(says, message)
  assert.equal("key", code)
  for word in A:gmatch("%l+") do
    assert.is_nil((" " .. message .. " "):find(" " .. word .. " ", 1, true), message)
  end
end

describe("a wallet file", function()
  it("is the mnemonic, in any case, with anything between the words", function()
    finds(A, A)
    finds(A, "1. " .. A:upper():gsub(" ", "\n2) ") .. "\n")
    finds(A, '["' .. A:gsub(" ", '","') .. '"]')
  end)

  it("has it under a hotkey's key of JSON, before a general one", function()
    for _, key in ipairs { "hotkey_mnemonic", "Hotkey Seed", "HOTKEY-PHRASE" } do
      finds(A, json.encode { [key] = A, mnemonic = B, other = C })
    end
    finds(A, json.encode { wallets = { { mnemonic = B }, { hotkey_mnemonic = A } } })
    finds(A, '{"hotkey mnemonic": "bottom\\u0020' .. A:sub(8) .. '\\n"}')
  end)

  it("has it under a general key of JSON", function()
    for _, key in ipairs { "mnemonic", "secretPhrase", "seed_phrase" } do
      finds(A, json.encode { [key] = A, coldkey = B })
    end
    -- This one is no label of JSON, so that nothing prefers it.
    refuses("several mnemonics", json.encode { secret_phrase = A, coldkey = B })
    finds(A, json.encode { secret_phrase = A })
  end)

  it("has it in a line with a hotkey's label, before a general one", function()
    finds(A, "mnemonic: " .. B .. "\nhotkey mnemonic: " .. A .. "\n")
    finds(A, "HOTKEY_SEED = " .. A .. "\r\nmnemonic = " .. B)
    finds(A, "coldkey phrase: " .. B .. "\n  Secret_Phrase:" .. A .. "\n")
    finds(A, "mnemonic=" .. A .. "\nold=" .. B)
  end)

  it("has it somewhere", function()
    finds(A, "these are my words, dear diary " .. A .. " and nobody may read them")
    finds(A, ("x "):rep(3000) .. A .. (" y"):rep(3000))
    local long = sr25519.generate(24):text()
    finds(long, "these: " .. long .. " (24)")
  end)

  it("never takes words by chance before and behind for a part of it", function()
    finds(A, "my secret phrase\n" .. A .. "\nkeep it safe\n")
    for _ = 1, 40 do
      local words = sr25519.generate(12):text()
      local address, message = search("my secret phrase " .. words .. " keep it safe")
      assert.is_true(address == address_of(words) or message:find "several" ~= nil)
    end
  end)

  it("may say the same words twice", function()
    finds(A, "one: " .. A .. "\ntwo: " .. A .. "\n")
    finds(A, A .. "\n" .. A)
  end)

  it("may not have several at the level that has any", function()
    refuses("several mnemonics", A .. "\n" .. B)
    refuses("several mnemonics", "a " .. A .. " b " .. B)
    refuses("several mnemonics", "mnemonic: " .. A .. "\nmnemonic: " .. B)
    refuses("several mnemonics", json.encode { a = { mnemonic = A }, b = { mnemonic = B } })
  end)

  it("never takes two phrases for one of twice as many words", function()
    local first, second
    repeat
      first, second = sr25519.generate():text(), sr25519.generate():text()
    until sr25519.check_mnemonic(first .. " " .. second)
    refuses("several mnemonics %(2%)", first .. "\n" .. second)
  end)

  it("must have one", function()
    refuses("holds no mnemonic", "")
    refuses("holds no mnemonic", "nothing here\n")
    refuses("holds no mnemonic", (A:gsub("walk", "wall")))
    refuses("polkadot.js", '{"encoded":"abcd","encoding":{}}')
    refuses("holds no key", '{"hotkey_mnemonic": 5, "mnemonic": null}')
  end)

  it("may be a hotkey file, which then must be in order", function()
    finds(A, json.encode { secretPhrase = A, ss58Address = address_of(A) })
    local none, _, code = search(json.encode { secretPhrase = A, ss58Address = address_of(B) })
    assert.is_nil(none)
    assert.equal("key_address", code)
    code = select(3, search(json.encode { ss58Address = address_of(B) }))
    assert.equal("key_public_only", code)
  end)
end)
