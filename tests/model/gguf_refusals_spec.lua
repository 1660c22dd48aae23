-- Files made to harm: each is refused, for its own reason and before it costs memory or time.
local map = require "core.map"

local errors = require "bittern.errors"
local gguf = require "bittern.model.gguf"
local made = require "tests.gguf_bytes"
local support = require "tests.support"

local folder = support.folder()

local entry, file, tensor, text = made.entry, made.file, made.tensor, made.text
local zeros = ("\0"):rep(4096)

-- Without the sync of core.fs, since these are many.
local function write(path, bytes)
  local out <close> = assert(io.open(path, "wb"))
  assert(out:write(bytes))
end

local function open_bytes(bytes)
  local path = folder .. "/x.gguf"
  write(path, bytes)
  return gguf.open(assert(map.open(path)), "x.gguf")
end

local function metadata(...)
  return file { entries = { ... } }
end

local function tensors(list, data, more)
  local parts = { tensors = list, data = data or "" }
  for key, value in pairs(more or {}) do parts[key] = value end
  return file(parts)
end

local function array(id, count, bytes)
  return entry("a", made.ARRAY, string.pack("<i4i8", id, count) .. (bytes or ""))
end

local function alignment(id, bytes)
  return tensors({ tensor("t", { 8 }, 0, 0) }, zeros:sub(1, 32),
    { entries = { entry("general.alignment", id, bytes) } })
end

-- One tensor of 8 values of a type whose place in the row of types is in doubt.
local function typed(id)
  return tensors({ tensor("t", { 256 }, id, 0) }, zeros:sub(1, 1024))
end

local u32 = function(value) return string.pack("<I4", value) end
local min, max = math.mininteger, math.maxinteger
local f32 = { 8 }

-- what, bytes, id, what the message says
local refused = {
  -- the beginning
  { "an empty file", "", "model_header", "not a GGUF file" },
  { "three bytes", "GGU", "model_header", "not a GGUF file" },
  { "another mark", file { magic = "GGUX" }, "model_header", "not a GGUF file" },
  { "the mark turned round", file { magic = "FUGG" }, "model_header", "not a GGUF file" },
  { "the older GGML mark", file { magic = "lmgg" }, "model_header", "not a GGUF file" },
  { "the mark alone", "GGUF", "model_truncated", "a version of 4 bytes, 0 are left" },
  { "half a version", "GGUF\3\0", "model_truncated", "a version" },
  { "no counts", "GGUF\3\0\0\0", "model_truncated", "a count of tensors" },
  { "half the counts", "GGUF\3\0\0\0" .. zeros:sub(1, 12), "model_truncated",
    "a count of metadata entries" },
  { "version 0", file { version = 0 }, "gguf_version", "GGUF version 0" },
  { "version 1", file { version = 1 }, "gguf_version", "GGUF version 1" },
  { "version 4", file { version = 4 }, "gguf_version", "GGUF version 4" },
  { "version 2^32-1", file { version = 0xFFFFFFFF }, "gguf_version", "GGUF version 4294967295" },
  { "big-endian version 3", file { version = 3 << 24 }, "gguf_endian", "big-endian" },
  { "big-endian version 2", file { version = 2 << 24 }, "gguf_endian", "big-endian" },
  -- counts (CVE-2024-23605: n_kv)
  { "more tensors than bytes", file { tensor_count = 1000 }, "model_truncated", "1000 tensors" },
  { "one tensor too many", file { tensors = { tensor("t", f32, 0, 0) }, tensor_count = 2,
    data = zeros:sub(1, 24) }, "model_tensor", "without a name" },
  { "2^62 tensors", file { tensor_count = 1 << 62 }, "model_limit", "4611686018427387904 tensors" },
  { "a count that wraps with the size of a tensor", file { tensor_count = 0x0666666666666667 },
    "model_limit", "tensors, more than" },
  { "2^63 tensors", file { tensor_count = min }, "model_limit", "2^63 or more tensors" },
  { "2^64-1 tensors", file { tensor_count = -1 }, "model_limit", "2^63 or more tensors" },
  { "more entries than bytes", file { entry_count = 9 }, "model_truncated", "9 metadata entries" },
  { "2^40 entries", file { entry_count = 1 << 40 }, "model_limit", "metadata entries, more than" },
  { "2^64-1 entries", file { entry_count = -1 }, "model_limit", "2^63 or more metadata entries" },
  { "one entry too many", file { entries = { entry("a", made.STRING, text "xxxxxxxxxxxx") },
    entry_count = 2 }, "model_truncated", "a key" },
  -- keys
  { "an empty key", metadata(entry("", made.U32, u32(1))), "model_metadata", "an empty key" },
  { "a key longer than the file", metadata(string.pack("<i8", 1 << 40) .. "abcdefgh"),
    "model_truncated", "a key of 1099511627776 bytes" },
  { "a key of 2^63 bytes", metadata(string.pack("<i8", min) .. "abcdefgh"), "model_truncated",
    "a key of 2^63 or more bytes" },
  { "a key of 2^64-1 bytes", metadata(string.pack("<i8", -1) .. "abcdefgh"), "model_truncated",
    "a key of 2^63 or more bytes" },
  { "a key longer than keys are", metadata(entry(("k"):rep(65536), made.U8, "\1")), "model_limit",
    "a key of 65536 bytes, more than 65535" },
  { "a key that is not UTF-8", metadata(entry("a\xff", made.U8, "\1")), "model_metadata",
    "no plain text" },
  { "a key with a zero byte", metadata(entry("a\0b", made.U8, "\1")), "model_metadata",
    "no plain text" },
  { "a key with an escape sequence", metadata(entry("\27[2J", made.U8, "\1")), "model_metadata",
    "no plain text" },
  { "a key with a C1 control", metadata(entry("a\xC2\x9B", made.U8, "\1")), "model_metadata",
    "no plain text" },
  { "a key twice", metadata(entry("a", made.U8, "\1"), entry("a", made.U8, "\1")),
    "model_metadata", "key 'a' is there twice" },
  { "a key twice with other types", metadata(entry("a", made.BOOL, "\0"),
    entry("a", made.STRING, text "x")), "model_metadata", "key 'a' is there twice" },
  -- values
  { "a value type after the last", metadata(entry("a", 13, zeros:sub(1, 8))), "model_metadata",
    "key 'a': unknown value type 13" },
  { "a negative value type", metadata(entry("a", -1, zeros:sub(1, 8))), "model_metadata",
    "unknown value type -1" },
  { "a huge value type", metadata(entry("a", 0x7FFFFFFF, zeros:sub(1, 8))), "model_metadata",
    "unknown value type 2147483647" },
  { "no value type", metadata(text "abcdef"), "model_truncated", "a value type" },
  { "half a value", metadata(entry("abc", made.U64, "\1\2\3\4")), "model_truncated",
    "key 'abc': a value of 8 bytes, 4 are left" },
  { "a text longer than the file", metadata(entry("a", made.STRING, string.pack("<i8", 100))),
    "model_truncated", "a text of 100 bytes, 0 are left" },
  { "a text of 2^64-8 bytes", metadata(entry("a", made.STRING, string.pack("<i8", -8))),
    "model_truncated", "a text of 2^63 or more bytes" },
  { "a truth value of 2", metadata(entry("a", made.BOOL, "\2")), "model_metadata",
    "neither 0 nor 1" },
  { "a truth value of 255", metadata(entry("a", made.BOOL, "\255")), "model_metadata",
    "neither 0 nor 1" },
  -- arrays
  { "an array of arrays", metadata(array(made.ARRAY, 1, zeros:sub(1, 12))), "model_metadata",
    "an array of arrays" },
  { "arrays of arrays, deep", metadata(array(made.ARRAY, 1,
    (string.pack("<i4i8", made.ARRAY, 1)):rep(100000))), "model_metadata", "an array of arrays" },
  { "an empty array of arrays", metadata(array(made.ARRAY, 0)), "model_metadata",
    "an array of arrays" },
  { "an array of unknown type", metadata(array(13, 0)), "model_metadata",
    "an array of unknown value type 13" },
  { "an array of negative type", metadata(array(-1, 0)), "model_metadata",
    "unknown value type -1" },
  { "an array longer than the file", metadata(array(made.U32, 3, zeros:sub(1, 8))),
    "model_truncated", "an array of 3 u32s, 8 bytes are left" },
  { "an array of 2^62 u32", metadata(array(made.U32, 1 << 62, zeros:sub(1, 8))),
    "model_truncated", "an array of 4611686018427387904 u32s" },
  { "an array of 2^61+1 f64", metadata(array(made.F64, (1 << 61) + 1, zeros:sub(1, 8))),
    "model_truncated", "f64s" },
  { "an array of 2^63 bytes", metadata(array(made.U8, min, zeros:sub(1, 8))), "model_truncated",
    "an array of 2^63 or more u8s" },
  { "an array of 2^64-1 texts", metadata(array(made.STRING, -1, text "x")), "model_truncated",
    "an array of 2^63 or more strings" },
  { "an array of texts, one missing", metadata(array(made.STRING, 2, text "xxxxxxxx")),
    "model_truncated", "an element" },
  { "an array of texts, one too long", metadata(array(made.STRING, 1, string.pack("<i8", max))),
    "model_truncated", "an element of 9223372036854775807 bytes" },
  { "an array of texts, one of 2^63 bytes", metadata(array(made.STRING, 2,
    string.pack("<i8", min) .. text "x")), "model_truncated", "an element of 2^63 or more" },
  { "an array of truth values with a 2", metadata(array(made.BOOL, 3, "\0\1\2")),
    "model_metadata", "neither 0 nor 1" },
  { "an array without its length", metadata(entry("a", made.ARRAY, string.pack("<i4", 4))),
    "model_truncated", "an array's length" },
  -- alignment
  { "an alignment of 0", alignment(made.U32, u32(0)), "gguf_alignment", "alignment 0" },
  { "an alignment of 3", alignment(made.U32, u32(3)), "gguf_alignment", "alignment 3" },
  { "an alignment of 48", alignment(made.U32, u32(48)), "gguf_alignment", "alignment 48" },
  { "a huge alignment", alignment(made.U32, u32(1 << 31)), "gguf_alignment", "2147483648" },
  { "an alignment of 2^32-1", alignment(made.U32, u32(0xFFFFFFFF)), "gguf_alignment",
    "4294967295" },
  { "an alignment in 64 bits", alignment(made.U64, string.pack("<i8", 32)), "gguf_alignment",
    "is u64, not u32" },
  { "an alignment that is signed", alignment(made.I32, u32(32)), "gguf_alignment", "is i32" },
  { "an alignment that is text", alignment(made.STRING, text "32"), "gguf_alignment", "is string" },
  { "an alignment that is a list", alignment(made.ARRAY, string.pack("<i4i8I4", 4, 1, 32)),
    "gguf_alignment", "is array" },
  -- names
  { "a name longer than the file", file { tensors = { string.pack("<i8", 1 << 33) .. zeros },
    tensor_count = 1 }, "model_truncated", "a tensor's name" },
  { "a name of 2^64-1 bytes", file { tensors = { string.pack("<i8", -1) .. zeros },
    tensor_count = 1 }, "model_truncated", "a tensor's name of 2^63 or more bytes" },
  { "a name of 64 bytes", tensors({ tensor(("n"):rep(64), f32, 0, 0) }, zeros:sub(1, 32)),
    "model_limit", "a tensor's name of 64 bytes, more than 63" },
  { "no name", tensors({ tensor("", f32, 0, 0) .. "\0" }, zeros:sub(1, 32)), "model_tensor",
    "without a name" },
  { "a name that is not UTF-8", tensors({ tensor("\xc0\x80", f32, 0, 0) }, zeros:sub(1, 32)),
    "model_tensor", "no plain text" },
  { "a name with a line feed", tensors({ tensor("a\nb", f32, 0, 0) }, zeros:sub(1, 32)),
    "model_tensor", "no plain text" },
  { "a name twice", tensors({ tensor("t", f32, 0, 0), tensor("t", f32, 0, 32) },
    zeros:sub(1, 64)), "model_tensor", "tensor 't' is there twice" },
  -- shapes (CVE-2024-21802, CVE-2025-53630, CVE-2026-27940, CVE-2026-33298)
  { "five dimensions", tensors({ tensor("t", { 1, 1, 1, 1, 8 }, 0, 0) }, zeros:sub(1, 32)),
    "model_shape", "5 dimensions" },
  { "2^32-1 dimensions", tensors({ tensor("t", f32, 0, 0, 0xFFFFFFFF) }, zeros:sub(1, 32)),
    "model_shape", "4294967295 dimensions" },
  { "a negative size", tensors({ tensor("t", { -8 }, 0, 0) }, zeros:sub(1, 32)), "model_shape",
    "a negative size" },
  { "two negative sizes", tensors({ tensor("t", { -2, -4 }, 0, 0) }, zeros:sub(1, 32)),
    "model_shape", "a negative size" },
  { "the most negative size", tensors({ tensor("t", { min }, 0, 0) }, ""), "model_shape",
    "a negative size" },
  { "a product that wraps to zero", tensors({ tensor("t", { 1 << 32, 1 << 32 }, 0, 0) }, ""),
    "model_shape", "overflows" },
  { "a product that wraps to one", tensors({ tensor("t", { 6700417, 641, 4294967297 }, 0, 0) },
    zeros:sub(1, 32)), "model_shape", "overflows" },
  { "a product of 2^63", tensors({ tensor("t", { 1 << 61, 4 }, 0, 0) }, ""), "model_shape",
    "overflows" },
  { "values that fit but bytes that do not", tensors({ tensor("t", { 1 << 53 }, 28, 0) }, ""),
    "model_shape", "overflows" },
  { "blocks that fit but bytes that wrap", tensors({ tensor("t", { 256, 1 << 61 }, 15, 0) }, ""),
    "model_shape", "overflows" },
  { "tensors that overflow together", tensors({ tensor("t", { 1 << 51 }, 0, 0),
    tensor("u", { 1 << 51 }, 0, 1 << 53) }, ""), "model_shape", "overflow" },
  { "a row that is no whole block", tensors({ tensor("t", { 33 }, 2, 0) }, zeros:sub(1, 64)),
    "model_shape", "rows of 33 values are no whole number of Q4_0 blocks of 32" },
  { "a row shorter than a block", tensors({ tensor("t", { 128, 2 }, 34, 0) }, zeros:sub(1, 64)),
    "model_shape", "TQ1_0 blocks of 256" },
  { "a scalar in blocks", tensors({ tensor("t", {}, 8, 0) }, zeros:sub(1, 64)), "model_shape",
    "Q8_0 blocks of 32" },
  -- types
  { "type 4, taken away", typed(4), "model_dtype", "type 4, Q4_2" },
  { "type 5, taken away", typed(5), "model_dtype", "type 5, Q4_3" },
  { "type 31, taken away", typed(31), "model_dtype", "type 31, Q4_0_4_4" },
  { "type 32, taken away", typed(32), "model_dtype", "type 32, Q4_0_4_8" },
  { "type 33, taken away", typed(33), "model_dtype", "type 33, Q4_0_8_8" },
  { "type 36, taken away or a fork's", typed(36), "model_dtype", "type 36, IQ4_NL_4_4" },
  { "type 37, taken away", typed(37), "model_dtype", "type 37, IQ4_NL_4_8" },
  { "type 38, taken away", typed(38), "model_dtype", "type 38, IQ4_NL_8_8" },
  { "type 43, after the last", typed(43), "model_dtype", "type 43, which is unknown" },
  { "type 142 of a fork", typed(142), "model_dtype", "PQ2_0" },
  { "type 143 of a fork", typed(143), "model_dtype", "PTQ1_0" },
  { "a negative type", typed(-1), "model_dtype", "type 4294967295, which is unknown" },
  { "rotated weights", metadata(entry("prism.hadamard.block_size", made.U32, u32(128))),
    "gguf_rotated", "prism.hadamard.block_size" },
  { "rotated weights, of any value type", metadata(entry("prism.hadamard.x", 77, "")),
    "gguf_rotated", "prism.hadamard.x" },
  -- places (CVE-2026-7482: offsets beyond the file)
  { "a first tensor that begins late", tensors({ tensor("t", f32, 0, 32) }, zeros:sub(1, 64)),
    "model_overlap", "tensor 't': lies at 32, not at 0" },
  { "a gap", tensors({ tensor("t", f32, 0, 0), tensor("u", f32, 0, 64) }, zeros:sub(1, 96)),
    "model_overlap", "tensor 'u': lies at 64, not at 32" },
  { "an overlap", tensors({ tensor("t", { 16 }, 0, 0), tensor("u", f32, 0, 32) },
    zeros:sub(1, 96)), "model_overlap", "tensor 'u': lies at 32, not at 64" },
  { "two tensors at one place", tensors({ tensor("t", f32, 0, 0), tensor("u", f32, 0, 0) },
    zeros:sub(1, 64)), "model_overlap", "tensor 'u': lies at 0, not at 32" },
  { "tensors in another order", tensors({ tensor("t", f32, 0, 32), tensor("u", f32, 0, 0) },
    zeros:sub(1, 64)), "model_overlap", "tensor 't': lies at 32, not at 0" },
  { "an offset without its padding", tensors({ tensor("t", { 1 }, 0, 0), tensor("u", f32, 0, 4) },
    zeros:sub(1, 64)), "model_overlap", "tensor 'u': lies at 4, not at 32" },
  { "an offset far beyond the file", tensors({ tensor("t", f32, 0, 1 << 50) }, zeros:sub(1, 32)),
    "model_overlap", "lies at 1125899906842624, not at 0" },
  { "an offset of 2^64-32", tensors({ tensor("t", f32, 0, -32) }, zeros:sub(1, 32)),
    "model_overlap", "lies at 2^63 or more" },
  { "an alignment that the offsets do not have", tensors({ tensor("t", { 1 }, 0, 0),
    tensor("u", { 1 }, 0, 32) }, zeros:sub(1, 64), { alignment = 64,
    entries = { entry("general.alignment", made.U32, u32(64)) } }), "model_overlap",
    "lies at 32, not at 64" },
  { "a type of another size than its bytes", tensors({ tensor("t", { 256 }, 41, 0),
    tensor("u", f32, 0, 64 * 6) }, zeros:sub(1, 512)), "model_overlap",
    "the one before is q1_0 by its type's id" },
  { "data cut short", tensors({ tensor("t", f32, 0, 0) }, zeros:sub(1, 31)), "model_truncated",
    "tensors end at byte 96, it has 95" },
  { "no data", tensors({ tensor("t", f32, 0, 0) }, ""), "model_truncated", "tensors end at" },
  { "far more data than bytes", tensors({ tensor("t", { 1 << 40 }, 0, 0) }, zeros:sub(1, 32)),
    "model_truncated", "tensors end at byte 4398046511168" },
  { "bytes after the last tensor", tensors({ tensor("t", f32, 0, 0) }, zeros:sub(1, 33)),
    "model_trailing", "1 bytes after the last tensor" },
  { "a last type of another size than its bytes", tensors({ tensor("t", { 128 }, 42, 0) },
    zeros:sub(1, 96)), "model_trailing", "q2_0 by its type's id" },
  { "bytes without tensors", file { data = zeros:sub(1, 64) }, "model_trailing",
    "64 bytes after the last tensor" },
}

describe("bittern.model.gguf refuses", function()
  local known = {}
  for _, id in ipairs(errors.list()) do known[id] = true end

  for _, case in ipairs(refused) do
    local name, bytes, id, says = table.unpack(case)
    it(name, function()
      local opened, message, code = open_bytes(bytes)
      assert.is_nil(opened)
      assert.equal(id, code, message)
      assert.is_true(known[code])
      assert.equal("x.gguf: ", message:sub(1, 8))
      assert.is_truthy(message:find(says, 1, true), message)
    end)
  end

  it("at least eighty kinds of broken files", function()
    assert.is_true(#refused >= 80, #refused)
  end)

  it("a model cut at any byte of it", function()
    local bytes = support.fixture("codecs.gguf")
    local path = folder .. "/cut.gguf"
    assert.is_table((open_bytes(bytes)))
    -- Every byte of the header, then bytes of the data; the last 26 are padding, which may miss.
    for length = 0, #bytes - 27 do
      if length < 800 or length % 97 == 0 then
        write(path, bytes:sub(1, length))
        local source <close> = assert(map.open(path))
        assert.is_nil((gguf.open(source, "x")))
      end
    end
  end)

  it("or survives any byte of the header being another", function()
    local bytes = support.fixture("codecs.gguf")
    local path = folder .. "/changed.gguf"
    for at = 1, 767, 3 do
      for _, other in ipairs { 0, 1, 0x7F, 0x80, 0xFF } do
        write(path, bytes:sub(1, at - 1) .. string.char(other) .. bytes:sub(at + 1))
        local source <close> = assert(map.open(path))
        local opened, message, code = gguf.open(source, "x")
        assert.is_true(opened ~= nil or known[code], message)
      end
    end
  end)

  it("sparse giants at once: a list of words of zeros, a text of zeros", function()
    local path = folder .. "/giant.gguf"
    local function giant(head, size)
      support.python([[
import sys
with open(sys.argv[1], "wb") as file:
    file.write(bytes.fromhex(sys.argv[2]))
    file.truncate(int(sys.argv[3]))]], path, (head:gsub(".", function(c)
        return ("%02x"):format(c:byte())
      end)), tostring(size))
      local source <close> = assert(map.open(path))
      collectgarbage()
      local before = collectgarbage("count")
      local _, message, code = gguf.open(source, "x")
      assert.is_true(collectgarbage("count") - before < 2048)
      return code, message
    end
    local size = 55 << 30
    assert.equal("model_limit", giant(metadata(array(made.STRING, 1 << 30)), size))
    assert.equal("model_limit", giant(metadata(array(made.BOOL, 1 << 30)), size))
    assert.equal("model_limit", giant(metadata(array(made.U8, 50 << 30)), size))
    local code, message = giant(metadata(entry("a", made.STRING, string.pack("<i8", 1 << 30))),
      size)
    assert.equal("model_limit", code)
    assert.matches("a text of 1073741824 bytes, more than", message)
    assert.equal("model_metadata", giant(file { entry_count = 60000 }, size))
    assert.equal("model_tensor", giant(file { tensor_count = 100000 }, size))
  end)
end)
