local fs = require "core.fs"
local keybox = require "core.keybox"
local hex = require "bittern.hex"
local json = require "bittern.json"
local support = require "tests.support"

local function secret(text)
  return assert(keybox.join { text })
end

describe("core.keybox", function()
  it("reads a file with who else may use it", function()
    local path = support.folder() .. "/s"
    assert(fs.write(path, "some\nbytes\0", { mode = 0x1A0 }))
    local read <close>, info = assert(keybox.read(path))
    assert.equal("some\nbytes\0", read:text())
    assert.equal(11, #read)
    assert.equal(0x1A0, info.mode)
    assert.equal(fs.stat(path).uid, info.uid)
    assert.equal("secret (open)", tostring(read))
    assert.is_false(getmetatable(read))
  end)

  it("reads files without a size, and refuses what is too large", function()
    assert.is_true(#assert(keybox.read("/proc/self/status")) > 100)
    local path = support.folder() .. "/s"
    assert(fs.write(path, "123456"))
    assert.equal("123456", keybox.read(path, 6):text())
    for _, place in ipairs { path, "/proc/self/status" } do
      local none, message, code = keybox.read(place, 5)
      assert.is_nil(none)
      assert.equal(place .. ": larger than 5 bytes", message)
      assert.equal("too_large", code)
    end
    assert.equal("not_found", select(3, keybox.read(path .. "x")))
    assert.equal("is_directory", select(3, keybox.read("/tmp")))
    assert.has_error(function() keybox.read("a\0b") end)
  end)

  it("shows slices as long as their owner is open", function()
    local whole = secret "0123456789"
    local middle = whole:slice(3, 8)
    local inner = middle:slice(2)
    assert.equal("234567", middle:text())
    assert.equal("34567", inner:text())
    assert.equal("45", inner:text(2, 3))
    assert.equal("", inner:text(4, 2))
    assert.equal(0, #inner:slice(9))
    assert.equal(3, inner:find "56")
    assert.is_nil(inner:find "9")
    assert.is_nil(inner:find("3", 2))
    middle:close()
    assert.equal("34567", inner:text())
    whole:close()
    whole:close()
    assert.equal("secret (closed)", tostring(inner))
    assert.error_matches(function() inner:text() end, "its owner is closed")
    assert.error_matches(function() return #middle end, "its owner is closed")
    assert.has_error(function() secret("x"):slice(0) end)
  end)

  it("keeps a slice's bytes when nobody else holds them", function()
    local slice = secret("0123456789"):slice(2, 4)
    collectgarbage()
    collectgarbage()
    assert.equal("123", slice:text())
  end)

  it("joins bytes of every kind, and lends them", function()
    local joined = keybox.join { "a", secret "bc", secret("xdx"):slice(2, 2), "" }
    assert.equal("abcd", joined:text())
    assert.equal(0, #keybox.join {})
    local path = support.folder() .. "/s"
    assert(fs.write(path, joined))
    assert.equal("abcd", fs.read(path))
    assert.has_error(function() keybox.join { 5 } end)
  end)

  it("masks the strings of a JSON text", function()
    local text = '{"secretPhrase": "a\\"b c", "n" : [1.5e3, -2, true, null, "" ], "x":{"y":false}}'
    local masked = secret(text):masked()
    assert.equal(
      '{"secretPhrase": "19:24", "n" : [1.5e3, -2, true, null, "59:58" ], "x":{"y":false}}', masked)
    assert.equal('a\\"b c', text:sub(19, 24))
    assert.is_table(json.decode(masked))
  end)

  it("masks what is no JSON", function()
    local long = ("k"):rep(70)
    local function masks(expected, text) assert.equal(expected, secret(text):masked(), text) end
    masks("{?: ? ?}", "{secretPhrase: bottom drive}")
    masks("?", '"no end')
    masks('?', '"no end\\')
    masks('?', '"line\nbreak"')
    masks('{"3:72":1}', '{"' .. long .. '":1}')
    masks("[?]", "[" .. ("1"):rep(64) .. "]")
    masks("? ?", "\0\xff nul")
    masks("", "")
  end)

  it("resolves escapes of ASCII", function()
    local function says(expected, text)
      local plain = secret(text):unescape()
      assert.equal(expected, plain and plain:text(), text)
    end
    says('a b\n\t\r\f\b"\\/c', 'a\\u0020b\\n\\t\\r\\f\\b\\"\\\\\\/c')
    says("\u{E9}", "\u{E9}")
    for _, bad in ipairs { "\\", "\\x", "\\u00e9", "\\u", "\\u002", "\\u00g0", "\\u0100" } do
      says(nil, bad)
    end
  end)

  it("reduces a text to its words", function()
    local function words(text) return secret(text):words():text() end
    assert.equal("a bc d", words " A-bC\r\n1d2")
    assert.equal("", words "12 \xC3\xA9")
    assert.equal("", words "")
  end)

  it("reads hexadecimal digits of one length", function()
    local function digits(text, count)
      local bytes = secret(text):hex(count)
      return bytes and bytes:text()
    end
    assert.equal("\x0F\xa5", digits("0Fa5", 2))
    assert.equal("\x0F\xa5", digits(" 0x0fA5\n", 2))
    assert.equal("\0x", digits("0078", 2))
    for _, bad in ipairs { "", "0fa", "0fa500", "0xfa", "0X0fa5", "0fg5", "0f a5", "0x0x0fa5" } do
      assert.is_nil(digits(bad, 2), bad)
    end
  end)

  it("opens boxes with keys of passwords", function()
    local salt = hex.decode "137183dff15a09bc9c90b5518739e9b1"
    local key <close> = keybox.derive("testing", salt, 3, 1 << 16)
    assert.equal(32, #key)
    assert.not_equal(key:text(), keybox.derive("Testing", salt, 3, 1 << 16):text())
    assert.not_equal(key:text(), keybox.derive("testing", salt, 4, 1 << 16):text())
    assert.has_error(function() keybox.derive("p", "short", 3, 1 << 16) end)
    assert.has_error(function() keybox.derive("p", salt, 0, 1 << 16) end)
    -- The vector: key of "testing" at btcli's limits, nonce 00..17, {"a":1}.
    local known = hex.decode "59e56f09281b4b97c4a4421839e63786e28b5c7b7038eac7f24e5483e2d322b9"
    local box = hex.decode("000102030405060708090a0b0c0d0e0f1011121314151617"
      .. "e5c7dcf91efdc30728486a7d013840411fecd6dc01c30d")
    assert.equal('{"a":1}', assert(keybox.open(box, known)):text())
    for at = 1, #box do
      local changed = box:sub(1, at - 1) .. string.char(box:byte(at) ~ 1) .. box:sub(at + 1)
      local none, message, code = keybox.open(changed, known)
      assert.is_nil(none)
      assert.equal("the password does not open it", message)
      assert.equal("key_password", code)
    end
    for size = 0, 39 do assert.equal("key", select(3, keybox.open(box:sub(1, size), known))) end
    assert.equal("key_password", select(3, keybox.open(box:sub(1, 40), known)))
    assert.has_error(function() keybox.open(box, "short") end)
  end)

  it("reads a line of a descriptor and no more", function()
    local script = support.folder() .. "/s.lua"
    assert(fs.write(script, [[
      local keybox = require "core.keybox"
      for _ = 1, 4 do
        local line, message, code = keybox.line(0)
        print(line and ("[%s]"):format(line:text()) or code)
      end
      print(select(3, keybox.line(77)))
    ]]))
    local done = support.bittern(support.folder(), { "run", script },
      { input = "first\r\n\nlast" })
    assert.equal("[first]\n[]\n[last]\n[]\nio\n", done.stdout)
    done = support.bittern(support.folder(), { "run", script }, { input = ("x"):rep(5000) .. "\n" })
    assert.matches("^io\n", done.stdout)
  end)
end)
