local sr25519 = require "core.sr25519"
local json = require "bittern.json"
local support = require "tests.support"

local function unhex(text)
  return (text:gsub("..", function(digits) return string.char(tonumber(digits, 16)) end))
end

local function hex(bytes)
  return (bytes:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

local vectors = assert(json.decode(support.fixture "sr25519.json"))
local phrase = "bottom drive obey lake curtain smoke basket hold race lonely fit walk"

describe("core.sr25519", function()
  it("derives every key of the vectors", function()
    assert.equal(6, #vectors.keys)
    for _, vector in ipairs(vectors.keys) do
      local key <close> = assert(sr25519.from_mnemonic(vector.mnemonic, vector.password))
      local seeded <close> = assert(sr25519.from_seed(unhex(vector.mini_secret)))
      assert.equal(vector.public, hex(key:public()))
      assert.equal(vector.public, hex(seeded:public()))
      assert.equal(vector.ss58, key:address())
      assert.equal(vector.ss58, sr25519.address(key:public()))
      assert.equal(vector.public, hex(assert(sr25519.public(vector.ss58))))
      assert.is_true(sr25519.check_mnemonic(vector.mnemonic))
    end
  end)

  it("judges every signature of the vectors as stated", function()
    assert.equal(102, #vectors.signatures)
    for i, vector in ipairs(vectors.signatures) do
      local public, message = unhex(vector.public), unhex(vector.message)
      local valid = sr25519.verify(public, message, unhex(vector.signature))
      assert.equal(vector.valid, valid, "signature " .. i)
    end
  end)

  it("signs what it verifies, another way each time", function()
    local key <close> = assert(sr25519.from_mnemonic(phrase))
    local first, second = key:sign("message"), key:sign("message")
    assert.not_equal(first, second)
    assert.is_true(sr25519.verify(key:public(), "message", first))
    assert.is_true(sr25519.verify(key:public(), "message", second))
    assert.is_false(sr25519.verify(key:public(), "massage", first))
    assert.is_false(sr25519.verify(key:public(), "message", first:sub(1, 63)))
    assert.is_false(sr25519.verify(key:public():sub(2), "message", first))
  end)

  it("refuses every signature with one bit changed", function()
    local key <close> = assert(sr25519.from_mnemonic(phrase))
    local good = key:sign("m")
    for bit = 0, 511 do
      local at = bit // 8 + 1
      local changed = string.char(good:byte(at) ~ 1 << bit % 8)
      local bad = good:sub(1, at - 1) .. changed .. good:sub(at + 1)
      assert.is_false(sr25519.verify(key:public(), "m", bad), "bit " .. bit)
    end
  end)

  it("reads the private key of a keyfile", function()
    local key <close> = assert(sr25519.from_private(unhex(
      "05d65584630d16cd4af6d0bec10f34bb504a5dcb62dba2122d49f5a663763d0a"
      .. "fd190cce74df356432b410bd64682309d6dedb27c76845daf388557cbac3ca34")))
    assert.equal("5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV", key:address())
    local none, message, code = sr25519.from_private(("\xff"):rep(64))
    assert.is_nil(none)
    assert.equal("key", code)
    assert.equal("not a usable sr25519 secret", message)
  end)

  it("generates mnemonics of every length that read back", function()
    local seen = {}
    for _, count in ipairs { 12, 15, 18, 21, 24 } do
      local words = sr25519.generate(count):text()
      assert.equal(count, select(2, words:gsub("%l+", "")))
      assert.is_true(sr25519.check_mnemonic(words))
      assert.is_nil(seen[words])
      seen[words] = true
    end
    assert.equal(12, select(2, sr25519.generate():text():gsub("%l+", "")))
    assert.error(function() sr25519.generate(13) end)
  end)

  it("normalises case and white space", function()
    local words = "\n " .. phrase:upper():gsub(" ", "\t \r\n") .. "\n"
    local key <close> = assert(sr25519.from_mnemonic(words))
    assert.equal("5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV", key:address())
  end)

  it("takes no zero byte for the end of a word", function()
    local ok, message = sr25519.check_mnemonic((phrase:gsub(" ", "\0 ", 1)))
    assert.is_nil(ok)
    assert.matches("word 1", message)
  end)

  it("tells what is wrong with a mnemonic without repeating it", function()
    local function reason(words)
      local ok, message, code = sr25519.check_mnemonic(words)
      assert.is_nil(ok)
      assert.equal("key", code)
      local key, again = sr25519.from_mnemonic(words)
      assert.is_nil(key)
      assert.equal(message, again)
      return message
    end
    assert.equal("a mnemonic has 12, 15, 18, 21 or 24 words, not 0", reason "")
    assert.equal("a mnemonic has 12, 15, 18, 21 or 24 words, not 13", reason(phrase .. " walk"))
    assert.matches("words, not 36$", reason((phrase .. " "):rep(3)))
    assert.equal("word 3 of the mnemonic is not in the English list",
      reason((phrase:gsub("obey", "obeyy"))))
    assert.equal("word 12 of the mnemonic is not in the English list",
      reason((phrase:gsub("walk", ("walk"):rep(1000)))))
    assert.matches("checksum", reason((phrase:gsub("walk", "wall"))))
    assert.matches("checksum", reason((phrase:gsub("bottom drive", "drive bottom"))))
  end)

  it("tells what is wrong with an address", function()
    local function reason(text)
      local public, message, code = sr25519.public(text)
      assert.is_nil(public)
      assert.equal("key", code)
      return message
    end
    local alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
    assert.matches("wrong length", reason(""))
    assert.matches("wrong length", reason(alice .. alice))
    assert.matches("base58", reason((alice:gsub("E", "0"))))
    assert.matches("base58", reason(alice .. "\0"))
    assert.matches("checksum", reason((alice:gsub("Y$", "Z"))))
    assert.matches("another network", reason "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5")
  end)

  it("is wiped when it is closed, once or twice", function()
    local key = assert(sr25519.from_mnemonic(phrase))
    assert.equal("key (5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV)", tostring(key))
    key:close()
    key:close()
    assert.equal("key (closed)", tostring(key))
    assert.error_matches(function() key:sign("m") end, "key is closed")
    assert.error_matches(function() key:public() end, "key is closed")
    assert.error_matches(function() key:address() end, "key is closed")
  end)

  it("raises for misuse", function()
    assert.error_matches(function() sr25519.from_seed("short") end, "must be 32 bytes, not 5")
    assert.error_matches(function() sr25519.from_private(("x"):rep(63)) end, "64 bytes, not 63")
    assert.error_matches(function() sr25519.address("") end, "must be 32 bytes, not 0")
    assert.error_matches(function() sr25519.from_mnemonic(phrase, ("p"):rep(257)) end, "longer")
    assert.error(function() sr25519.verify({}, "m", "s") end)
    assert.is_false(getmetatable(assert(sr25519.from_mnemonic(phrase))))
  end)

  it("has the word list of its source", function()
    local words = require "tests.bip39_words"
    assert.equal(words.header(), words.current())
  end)
end)
