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
