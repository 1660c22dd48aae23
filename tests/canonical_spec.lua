local fs = require "core.fs"
local canonical = require "bittern.canonical"
local number = require "core.number"
local sha256 = require "core.sha256"
local support = require "tests.support"

-- Random documents: seed, count, file. Each as Python writes it loosely and exactly, a zero byte
-- after both; the exact form of one with an integer of more than 64 bits is "!".
local DOCUMENTS <const> = [[
import json, random, struct, sys
r = random.Random(int(sys.argv[1]))
chars = [*'abc"\\/ ', *map(chr, range(0x20)), "\x7f", "\x80", "\u07ff", "\u0800", "\u2028",
         "\ud7ff", "\ue000", "\ufffd", "\uffff", "\U00010000", "\U0001f680", "\U0010ffff"]
def text(): return "".join(r.choice(chars) for _ in range(r.randrange(8)))
def double():
    while True:
        x = struct.unpack("<d", struct.pack("<Q", r.getrandbits(64)))[0]
        if x - x == 0: return x
def integer():
    if r.random() > 0.02: return r.randrange(-2**63, 2**63) >> r.randrange(64)
    return r.choice([1, -1]) * (2**63 + 1 + r.getrandbits(r.randrange(1, 900)))
def decimal():
    return float("%de%d" % (r.randrange(-10**r.randrange(1, 18), 10**17), r.randrange(-30, 30)))
def value(depth):
    kind = r.randrange(10 if depth < 6 else 8)
    if kind == 0: return None
    if kind == 1: return r.random() < 0.5
    if kind == 2: return integer()
    if kind == 3: return double()
    if kind == 4: return decimal()
    if kind == 5: return r.choice([0, 0.0, -0.0, 1e16, 1e15, 1e-4, 1e-5, 5e-324, 3.0,
                                   2**63 - 1, -2**63, 2**53 + 1, r.randrange(99) / 100])
    if kind <= 7: return text()
    if kind == 8: return [value(depth + 1) for _ in range(r.randrange(5))]
    return {text(): value(depth + 1) for _ in range(r.randrange(5))}
def is_large(v):
    if isinstance(v, list): return any(map(is_large, v))
    if isinstance(v, dict): return any(map(is_large, v.values()))
    return isinstance(v, int) and not -2**63 <= v < 2**63
with open(sys.argv[3], "wb") as file:
    for _ in range(int(sys.argv[2])):
        v = value(0)
        if r.random() < 0.01:
            for _ in range(r.randrange(50)): v = [v] if r.random() < 0.5 else {text(): v}
        indent = r.choice([None, None, 2])
        loose = json.dumps(v, ensure_ascii=r.random() < 0.5, indent=indent)
        if r.random() < 0.1: loose = loose.replace("e+", "E").replace("e-", "E-")
        exact = json.dumps(v, sort_keys=True, separators=(",", ":"), allow_nan=False)
        file.write(loose.encode() + b"\0" + (b"!" if is_large(v) else exact.encode()) + b"\0")
]]

local DOUBLES <const> = [[
import random, struct, sys
r = random.Random(7)
bits = [0, 1, 0x7fefffffffffffff, 0x000fffffffffffff, 0x0010000000000000]
bits += [e << 52 for e in range(1, 2047)] + [1 << n for n in range(52)]
bits += [(e << 52) - 1 for e in range(2, 2047, 3)] + [(e << 52) + 1 for e in range(1, 2047, 3)]
bits += [r.getrandbits(63) for _ in range(12000)]
bits += [struct.unpack("<Q", struct.pack("<d", r.randrange(10**r.randrange(1, 18))
         / 10**r.randrange(18)))[0] for _ in range(4000)]
for b in bits:
    x = struct.unpack("<d", struct.pack("<Q", b))[0]
    if x - x == 0: print("%016x %r" % (b, x))
]]

local function unhex(text)
  return (text:gsub("..", function(digits) return string.char(tonumber(digits, 16)) end))
end

local function refused(text)
  local value, message, code = canonical.decode(text)
  assert.is_nil(value, text)
  assert.equal("invalid_json", code)
  return message
end

describe("core.number", function()
  it("writes every double of the vectors as Python does", function()
    local count = 0
    for bits, text in support.fixture("float_text.tsv"):gmatch("(%x+)\t(%S+)") do
      if #bits == 16 then
        assert.equal(text, number.text((string.unpack(">d", unhex(bits)))))
        count = count + 1
      end
    end
    assert.equal(500, count)
  end)

  it("writes powers of two, their neighbours and random doubles as Python does", function()
    local count = 0
    for bits, text in support.python(DOUBLES):gmatch("(%x+) (%S+)") do
      local value = string.unpack(">d", unhex(bits))
      assert.equal(text, number.text(value))
      assert.equal("-" .. text, number.text(-value))
      local read = canonical.decode(text)
      assert.equal("float", math.type(read))
      assert.equal(bits, (string.pack(">d", read):gsub(".", function(c)
        return ("%02x"):format(c:byte())
      end)))
      count = count + 1
    end
    assert.is_true(count > 19000, count)
  end)
end)

describe("bittern.canonical", function()
  it("reads and writes every case of the vectors", function()
    local cases = assert(canonical.decode(support.fixture "canonical_json.json")).cases
    assert.equal(8, #cases)
    for _, case in ipairs(cases) do
      local text = assert(canonical.encode(case.value))
      assert.equal(case.canonical, text)
      assert.equal(case.sha256, sha256.hex(text))
      assert.equal(text, canonical.encode(assert(canonical.decode(text))))
    end
  end)

  it("reads 20,000 documents that Python writes, and writes them as Python would", function()
    local path = support.folder() .. "/documents"
    support.python(DOCUMENTS, "1", "20000", path)
    local count, large = 0, 0
    for loose, exact in assert(fs.read(path)):gmatch("(%Z+)%z(%Z+)%z") do
      local value, message = canonical.decode(loose)
      if exact == "!" then
        large = large + 1
        assert.is_nil(value, loose)
        assert.matches("an integer of more than 64 bits", message)
      else
        assert(value ~= nil, message)
        -- Not through assert.equal, which is slow.
        if exact ~= canonical.encode(value) then assert.equal(exact, canonical.encode(value)) end
      end
      count = count + 1
    end
    assert.equal(20000, count)
    assert.is_true(large > 20, large)
  end)

  it("keeps integers, floats, null and empty arrays apart", function()
    local value = assert(canonical.decode('{"a":3,"b":3.0,"c":null,"d":[],"e":{},"f":-0,"g":-0.0}'))
    assert.equal("integer", math.type(value.a))
    assert.equal("float", math.type(value.b))
    assert.equal(canonical.null, value.c)
    assert.is_true(canonical.is_array(value.d))
    assert.is_false(canonical.is_array(value.e))
    assert.equal('{"a":3,"b":3.0,"c":null,"d":[],"e":{},"f":0,"g":-0.0}', canonical.encode(value))
    assert.equal(canonical.null, canonical.decode "null")
    assert.is_false(canonical.decode "false")
  end)

  it("keeps integers to 64 bits and refuses larger ones", function()
    assert.equal(math.maxinteger, canonical.decode "9223372036854775807")
    assert.equal(math.mininteger, canonical.decode "-9223372036854775808")
    assert.equal("1:1: an integer of more than 64 bits", refused "9223372036854775808")
    assert.equal("1:2: an integer of more than 64 bits", refused "[-9223372036854775809]")
    assert.equal("1:1: an integer of more than 64 bits", refused(("9"):rep(1000)))
  end)

  it("says what is wrong, and where", function()
    assert.equal("1:1: expected a value, found the end", refused "")
    assert.equal("3:3: 'tru' is not JSON", refused "[1,\n\n  tru]")
    assert.equal("1:5: expected the end, found 'x'", refused "[1] x")
    assert.equal("1:3: expected the end, found '1'", refused "{}1")
    assert.equal("1:1: a number with a leading zero", refused "01")
    assert.equal("1:8: a key that is already there", refused '{"a":1,"a":2}')
    assert.equal("1:11: a key that is already there", refused '{"a":null,"\\u0061":2}')
    assert.equal("1:4: expected a value, found ']'", refused "[1,]")
    assert.equal("1:8: expected a key, found '}'", refused '{"a":1,}')
    assert.equal("1:4: expected ',' or ']', found '2'", refused "[1 2]")
    assert.equal("1:5: expected ':', found '1'", refused '{"a"1}')
    assert.equal("1:2: expected a key, found 'a'", refused "{a:1}")
    assert.equal("1:1: a string does not end", refused '"abc')
    assert.equal("1:3: a control character in a string", refused '"a\nb"')
    assert.equal("1:2: unknown escape in a string", refused [["\x41"]])
    assert.equal("1:2: unknown escape in a string", refused [["\u12"]])
    assert.equal("1:1: 'NaN' is not JSON", refused "NaN")
    assert.equal("1:1: 'Infinity' is not JSON", refused "Infinity")
    assert.equal("1:1: a number too large for a double", refused "-1e400")
    assert.equal("2:1: not valid UTF-8", refused '\n\xff"')
    assert.equal("1:1: expected a value, found a byte", refused "\xEF\xBB\xBF{}")
  end)

  it("refuses numbers that JSON does not have", function()
    for _, text in ipairs { "+1", ".5", "1.", "1.e1", "1e", "1e+", "-", "--1", "0x10", "00" } do
      refused(text)
      refused("[" .. text .. "]")
    end
  end)

  it("refuses half of a surrogate pair, and joins whole ones", function()
    assert.equal("\u{1F680}", canonical.decode [["\ud83d\ude80"]])
    assert.equal("\u{10FFFF}", canonical.decode [["\uDBFF\uDFFF"]])
    for _, text in ipairs { "\\ud83d", "\\ude80", "\\ud83dx", "\\ud83d\\n", "\\ud83d\\ud83d" } do
      assert.equal("1:2: half of a surrogate pair", refused('"' .. text .. '"'))
    end
    refused('"\xED\xA0\xBD\xED\xBA\x80"')
  end)

  it("refuses every text that is cut short", function()
    local text = [[{"a":[1.5e3,-2,"x\u00e9\ud83d\ude80\n",true,null],"b":{"c":false}}]]
    assert.is_truthy(canonical.decode(text))
    for size = 0, #text - 1 do refused(text:sub(1, size)) end
  end)

  it("has a depth and a size", function()
    local deepest = ("["):rep(65) .. "1" .. ("]"):rep(65)
    assert.equal(deepest, canonical.encode(assert(canonical.decode(deepest))))
    assert.equal("1:66: nested deeper than 64", refused(("["):rep(66) .. ("]"):rep(66)))
    assert.equal("nested deeper than 64", (refused(('{"a":'):rep(1e6)):gsub("^%d+:%d+: ", "")))
    local large = (" "):rep(100000001)
    assert.equal("too_large", select(3, canonical.decode(large)))
  end)

  it("refuses to write what has no JSON form", function()
    local function reason(value)
      local text, message, code = canonical.encode(value)
      assert.is_nil(text)
      assert.equal("invalid_json", code)
      return message
    end
    assert.equal("a number is not finite", reason { x = 0 / 0 })
    assert.equal("a number is not finite", reason { x = -math.huge })
    assert.equal("a string is not valid UTF-8", reason { x = "\xC3" })
    assert.equal("a string is not valid UTF-8", reason { ["\xED\xA0\x80"] = 1 })
    assert.equal("a function has no JSON form", reason { x = print })
    assert.equal("an object's key is a boolean", reason { [true] = 1 })
    assert.equal("an array has gaps or other keys than 1, 2, 3", reason { 1, 2, x = 3 })
    local loop = {}
    loop.loop = loop
    assert.equal("nested deeper than 64", reason(loop))
  end)
end)
