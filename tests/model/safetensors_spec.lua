local fs = require "core.fs"
local map = require "core.map"
local safetensors = require "bittern.model.safetensors"
local support = require "tests.support"

local folder = support.folder()

-- Opens bytes as a file; the map lives as long as the test needs it.
local function open_bytes(bytes)
  local path = folder .. "/x.safetensors"
  assert(fs.write(path, bytes))
  return safetensors.open(assert(map.open(path)), "x.safetensors")
end

local function open(header, data)
  return open_bytes(string.pack("<s8", header) .. (data or ""))
end

local function entry(name, dtype, shape, first, last)
  return ('"%s":{"dtype":"%s","shape":[%s],"data_offsets":[%s,%s]}'):format(name, dtype, shape,
    first, last)
end

-- A header of one tensor.
local function one(...)
  return "{" .. entry("a", ...) .. "}"
end

local function object(...)
  return "{" .. table.concat({ ... }, ",") .. "}"
end

-- name, header (or false and the raw bytes), data, what the message says
local refused = {
  { "an empty file", false, "", "truncated: 0 bytes" },
  { "a file of seven bytes", false, "\0\0\0\0\0\0\0", "truncated: 7 bytes" },
  { "a header cut short", false, string.pack("<I8", 10) .. "{}",
    "truncated: a header of 10 bytes, 2 are there" },
  { "a header over the cap", false, string.pack("<I8", 100000001) .. "{}",
    "larger than 100000000" },
  { "a header of 2^63 bytes", false, string.pack("<i8", math.mininteger) .. "{}", "larger than" },
  { "a header of 2^64-1 bytes", false, string.pack("<i8", -1) .. "{}", "larger than" },
  { "a length that wraps with its 8 bytes", false, string.pack("<i8", -8) .. "{}", "larger than" },
  { "an empty header", "", "", "its header" },
  { "a header that is no JSON", "{", "", "its header" },
  { "a header that is an array", "[1]", "", "its header must be an object" },
  { "a header that is an empty array", "[]", "", "its header must be an object" },
  { "an entry that is an empty array", '{"a":[]}', "", "tensor 'a': must be an object" },
  { "a shape that is an object", '{"a":{"dtype":"U8","shape":{},"data_offsets":[0,1]}}', "x",
    "tensor 'a': has no shape" },
  { "a size that is a float", one("U8", "1.0", 0, 1), "x", "shape must be whole numbers" },
  { "an offset that is a float", one("U8", "1", "0.0", 1), "x", "data_offsets must be" },
  { "a size that is null", one("U8", "null", 0, 1), "x", "shape must be whole numbers" },
  { "an entry that is null", '{"a":null}', "", "tensor 'a': must be an object" },
  { "metadata that is null", '{"__metadata__":null}', "", "__metadata__ must be an object" },
  { "a header that is null", "null", "", "its header" },
  { "a header that is a number", "1", "", "its header" },
  { "a header that is not UTF-8", '{"\xff":1}', "", "not valid UTF-8" },
  { "a surrogate in UTF-8", '{"\xed\xa0\x80":1}', "", "not valid UTF-8" },
  { "text after the header's object", "{} x", "", "its header" },
  { "a header nested too deep", ('{"a":'):rep(100) .. "1" .. ("}"):rep(100), "", "its header" },
  { "a tensor there twice", object(entry("a", "U8", "1", 0, 1), entry("a", "U8", "1", 0, 1)), "x",
    "its header" },
  { "a field there twice",
    '{"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}', "x",
    "its header" },
  { "an entry that is a number", '{"a":1}', "", "tensor 'a': must be an object" },
  { "an entry that is an array", '{"a":[1]}', "", "tensor 'a': must be an object" },
  { "a missing dtype", '{"a":{"shape":[1],"data_offsets":[0,1]}}', "x",
    "tensor 'a': has no dtype" },
  { "a missing shape", '{"a":{"dtype":"U8","data_offsets":[0,1]}}', "x",
    "tensor 'a': has no shape" },
  { "missing offsets", '{"a":{"dtype":"U8","shape":[1]}}', "x", "tensor 'a': data_offsets" },
  { "an unknown dtype", one("F128", "1", 0, 16), ("x"):rep(16),
    "tensor 'a': unknown dtype 'F128'" },
  { "a dtype in lower case", one("f32", "1", 0, 4), "xxxx", "unknown dtype 'f32'" },
  { "a dtype that is a number", '{"a":{"dtype":1,"shape":[1],"data_offsets":[0,1]}}', "x",
    "has no dtype" },
  { "a negative size", one("U8", "-1", 0, 1), "x", "shape must be whole numbers" },
  { "two negative sizes", one("U8", "-1,-1", 0, 1), "x", "shape must be whole numbers" },
  { "half a size", one("U8", "0.5", 0, 1), "x", "shape must be whole numbers" },
  { "a size that is a string", one("U8", '"1"', 0, 1), "x", "shape must be whole numbers" },
  { "a shape that is a number", '{"a":{"dtype":"U8","shape":1,"data_offsets":[0,1]}}', "x",
    "has no shape" },
  { "a product that wraps to zero", one("U8", "4294967296,4294967296", 0, 0), "",
    "shape overflows" },
  { "a product that wraps to one", one("U8", "6700417,641,4294967297", 0, 1), "x",
    "shape overflows" },
  { "elements that fit but bytes that do not", one("F64", "9007199254740992", 0, 0), "",
    "overflows" },
  { "a size above 2^63", one("U8", "9223372036854775808,2", 0, 0), "", "more than 64 bits" },
  { "a negative offset", one("U8", "1", -1, 0), "x", "data_offsets must be" },
  { "an offset that is half", one("U8", "1", 0.5, 1.5), "x", "data_offsets must be" },
  { "one offset", '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}}', "x",
    "data_offsets must be" },
  { "three offsets", '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}}', "x",
    "data_offsets must be" },
  { "an end before the begin", one("U8", "1", 1, 0), "x", "ends before it begins" },
  { "too few bytes for the shape", one("F32", "2", 0, 4), "xxxx",
    "has 4 bytes, its shape and dtype need 8" },
  { "too many bytes for the shape", one("U8", "1", 0, 2), "xx",
    "has 2 bytes, its shape and dtype need 1" },
  { "half a byte", one("F4", "3", 0, 1), "x", "tensor 'a': ends inside a byte" },
  { "a first tensor that begins late", one("U8", "1", 1, 2), "xx",
    "tensor 'a': a hole of 1 bytes" },
  { "a hole", object(entry("a", "U8", "1", 0, 1), entry("b", "U8", "1", 2, 3)), "xxx",
    "tensor 'b': a hole of 1 bytes" },
  { "an overlap", object(entry("a", "U8", "2", 0, 2), entry("b", "U8", "2", 1, 3)), "xxx",
    "tensor 'b': overlaps" },
  { "two names for the same bytes",
    object(entry("a", "U8", "1", 0, 1), entry("b", "U8", "1", 0, 1)), "x",
    "'b': overlaps" },
  { "truncated data", one("U8", "2", 0, 2), "x", "truncated: tensors need 2 bytes, 1 are there" },
  { "offsets far outside", one("U8", "1099511627776", 0, 1099511627776), "x",
    "truncated: tensors need" },
  { "bytes after the last tensor", one("U8", "1", 0, 1), "xy", "1 bytes after the last tensor" },
  { "data without tensors", "{}", "x", "1 bytes after the last tensor" },
  { "metadata that is an array", '{"__metadata__":["a"]}', "", "__metadata__ must be an object" },
  { "metadata that is text", '{"__metadata__":"a"}', "", "__metadata__ must be an object" },
  { "metadata that holds a number", '{"__metadata__":{"k":1}}', "",
    "__metadata__: 'k' must be a string" },
  { "metadata that holds an object", '{"__metadata__":{"k":{}}}', "",
    "__metadata__: 'k' must be a string" },
}

describe("bittern.model.safetensors refuses", function()
  for _, case in ipairs(refused) do
    local name, header, data, says = table.unpack(case)
    it(name, function()
      local bytes = header and string.pack("<s8", header) .. data or data
      local file, message, code = open_bytes(bytes)
      assert.is_nil(file)
      assert.equal("invalid_model", code)
      assert.equal("x.safetensors: ", message:sub(1, 15))
      assert.is_truthy(message:find(says, 1, true), message)
    end)
  end

  it("a model cut at any byte of its header", function()
    local bytes = string.pack("<s8", one("U8", "1", 0, 1)) .. "x"
    for length = 0, #bytes - 1 do assert.is_nil((open_bytes(bytes:sub(1, length)))) end
    assert.is_table((open_bytes(bytes)))
  end)
end)

describe("bittern.model.safetensors reads", function()
  it("tensors in the order of their bytes", function()
    local file = assert(open(object('"__metadata__":{"format":"pt"}', entry("b", "U8", "2", 0, 2),
      entry("a", "I16", "1,1", 2, 4)) .. "   ", "xyAB"))
    assert.equal("b", file.tensors[1].name)
    assert.same({ name = "a", dtype = "I16", shape = { 1, 1 }, offset = 2, size = 2 },
      file.by_name.a)
    assert.equal("pt", file.metadata.format)
    assert.equal("AB", file:slice("a"):read(0, 2))
    local none, message, code = file:slice("c")
    assert.is_nil(none)
    assert.equal("x.safetensors: no tensor 'c'", message)
    assert.equal("not_found", code)
  end)

  it("scalars, empty tensors and nibbles", function()
    local file = assert(open(object(entry("scalar", "F32", "", 0, 4),
      entry("empty", "F32", "0,7", 4, 4), entry("nibbles", "F4", "2,2", 4, 6)), "xxxxyy"))
    assert.equal(3, #file.tensors)
    assert.equal(0, file:slice("empty"):size())
    assert.equal(2, file:slice("nibbles"):size())
  end)

  it("a header with white space around it, and none at all inside", function()
    assert.is_table(open(" {} ", ""))
    assert.is_table(open("{}", ""))
  end)

  it("the shipped model", function()
    local m <close> = assert(map.open(support.model .. "/model.safetensors"))
    local file = assert(safetensors.open(m, "model.safetensors"))
    local count = 0
    for _, t in ipairs(file.tensors) do
      local product = 1
      for _, size in ipairs(t.shape) do product = product * size end
      count = count + product
    end
    assert.equal(2428672, count)
  end)

  it("nothing any more once the map is closed", function()
    local path = folder .. "/closed.safetensors"
    assert(fs.write(path, string.pack("<s8", one("U8", "1", 0, 1)) .. "x"))
    local m = assert(map.open(path))
    local file = assert(safetensors.open(m, "closed"))
    local slice = file:slice("a")
    m:close()
    assert.error_matches(function() slice:read(0, 1) end, "closed")
    assert.error_matches(function() file:slice("a") end, "closed")
  end)
end)

describe("bittern.model.safetensors writes", function()
  it("headers that it reads, with data 64-byte aligned and wide elements first", function()
    local text, order, total = safetensors.header({
      { name = "z", dtype = "U8", shape = { 3 } }, { name = "b", dtype = "F32", shape = {} },
      { name = "a", dtype = "F32", shape = { 2 } },
    }, { format = "bittern" })
    assert.equal(0, #text % 64)
    assert.equal(15, total)
    assert.same({ { name = "a", offset = 0, size = 8 }, { name = "b", offset = 8, size = 4 },
      { name = "z", offset = 12, size = 3 } }, order)
    local file = assert(open_bytes(text .. "aaaaaaaabbbbzzz"))
    assert.equal("zzz", file:slice("z"):read(0, 3))
    assert.equal("bittern", file.metadata.format)
    assert.equal(#text, file.data_offset)
  end)

  it("the given order when asked, and nothing for nothing", function()
    local _, order = safetensors.header({
      { name = "z", dtype = "U8", shape = { 3 } },
      { name = "b", dtype = "F32", shape = {} },
    }, nil, { order = "given" })
    assert.equal("z", order[1].name)
    assert.is_table((open_bytes((safetensors.header({}, nil)))))
  end)

  it("no header that nobody could read", function()
    local function header(...)
      local entries = { ... }
      return function() safetensors.header(entries, {}) end
    end
    assert.error_matches(header { name = "a", dtype = "X", shape = { 1 } }, "unknown dtype 'X'")
    assert.error_matches(header { name = "a", dtype = "U8", shape = { -1 } }, "whole numbers")
    assert.error_matches(header { name = "a", dtype = "U8", shape = { 1 << 40, 1 << 40 } },
      "overflows")
    local same = { name = "a", dtype = "U8", shape = {} }
    assert.error_matches(header(same, same), "twice")
  end)

  it("files that the independent reader of numpy understands", function()
    local entries = { { name = "w", dtype = "F32", shape = { 2 } } }
    local text, _, total = safetensors.header(entries, { k = "v" })
    local path = folder .. "/numpy.safetensors"
    assert(fs.write(path, text .. string.pack("<ff", 1.5, -2)))
    local out = support.python([[
import json, struct, sys, numpy
raw = open(sys.argv[1], "rb").read()
n = struct.unpack("<Q", raw[:8])[0]
h = json.loads(raw[8:8 + n])
b, e = h["w"]["data_offsets"]
values = numpy.frombuffer(raw[8 + n + b:8 + n + e], "<f4")
print(values.tolist(), h["__metadata__"]["k"], (8 + n) % 64)
]], path)
    assert.equal("[1.5, -2.0] v 0\n", out)
    assert.equal(8, total)
  end)
end)
