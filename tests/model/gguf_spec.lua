local buffer = require "core.buffer"
local fs = require "core.fs"
local map = require "core.map"

local gguf = require "bittern.model.gguf"
local imatrix = require "bittern.model.imatrix"
local made = require "tests.gguf_bytes"
local model = require "bittern.model"
local support = require "tests.support"
local types = require "bittern.model.gguf.types"
local writer = require "bittern.model.gguf.writer"

local entry, tensor, text = made.entry, made.tensor, made.text
local codecs = support.root .. "/tests/fixtures/codecs.gguf"

local function path_of(bytes, name)
  local path = support.folder() .. "/" .. (name or "x.gguf")
  assert(fs.write(path, bytes))
  return path
end

local function open(path)
  return assert(gguf.open(assert(map.open(path)), "x"))
end

local function open_bytes(bytes)
  return open(path_of(bytes))
end

local function u16(value) return string.pack("<I2", value) end
local function u32(value) return string.pack("<I4", value) end

describe("bittern.model.gguf reads", function()
  it("a file of the reference implementation, every kind of value in it", function()
    local file = open(codecs)
    assert.same({ 3, 64, 768 }, { file.version, file.alignment, file.data_offset })
    local keys = {}
    for i, e in ipairs(file.entries) do keys[i] = e.key .. " " .. e.type end
    assert.same({ "general.architecture string", "general.alignment u32", "general.name string",
      "x.array array", "x.strings array", "x.flag bool", "x.big u64", "x.f64 f64" }, keys)
    local m = file.metadata
    assert.same({ "llama", 64, "mixed codecs", true, "9223372036854775808", 1e-300 },
      { m["general.architecture"], m["general.alignment"], m["general.name"], m["x.flag"],
        m["x.big"], m["x.f64"] })
    assert.same({ -1, 0, 7 }, m["x.array"]:values())
    assert.same({ "a", "" }, m["x.strings"]:values())
    assert.same({ "a" }, m["x.strings"]:values(1))
    assert.is_true(gguf.is_array(m["x.array"]))
  end)

  it("its tensors, in PyTorch's order of sizes", function()
    local file = open(codecs)
    local seen = {}
    for i, t in ipairs(file.tensors) do
      assert.same({ 3, 256 }, t.shape)
      assert.equal(768, t.count)
      assert.equal(t.size, file:slice(t.name):size())
      seen[i] = ("%s %s %d"):format(t.name:match("^[^.]+"), t.dtype, t.size)
    end
    assert.same({ "f32 F32 3072", "f16 F16 1536", "bf16 BF16 1536", "q8_0 q8_0 816",
      "q4_0 q4_0 432", "q1_0 q1_0 108", "q2_0 q2_0 216", "tq1_0 tq1_0 162", "tq2_0 tq2_0 198" },
      seen)
    local none, message, code = file:slice("x")
    assert.is_nil(none)
    assert.equal("not_found", code)
    assert.equal("x: no tensor 'x'", message)
  end)

  it("version 2, no tensors, no padding at the end, empty and scalar tensors", function()
    assert.equal(2, open_bytes(made.file { version = 2 }).version)
    local file = open_bytes(made.file { tensors = { tensor("none", { 0, 7 }, 0, 0),
      tensor("one", {}, 0, 0), tensor("half", { 1 }, 1, 32) }, data = ("x"):rep(34) })
    assert.same({ {}, 4 }, { file.by_name.one.shape, file.by_name.one.size })
    assert.same({ { 7, 0 }, 0 }, { file.by_name.none.shape, file.by_name.none.size })
    assert.equal(0, file:slice("none"):size())
    assert.equal("xx", file:slice("half"):read(0, 2))
  end)

  it("numbers at the ends of their ranges", function()
    local m = open_bytes(made.file { entries = {
      entry("u8", made.U8, "\255"), entry("i8", made.I8, "\128"),
      entry("u16", made.U16, "\255\255"),
      entry("i16", made.I16, "\0\128"), entry("u32", made.U32, "\255\255\255\255"),
      entry("i32", made.I32, "\0\0\0\128"), entry("u64", made.U64, ("\255"):rep(8)),
      entry("i64", made.I64, ("\0"):rep(7) .. "\128"), entry("f32", made.F32, "\0\0\128\127"),
      entry("no", made.BOOL, "\0"), entry("flags", made.ARRAY,
        string.pack("<i4i8", made.BOOL, 2) .. "\0\1"),
      entry("none", made.ARRAY, string.pack("<i4i8", made.F64, 0)),
    } }).metadata
    assert.same({ 255, -128, 65535, -32768, 4294967295, -2147483648, "18446744073709551615",
      math.mininteger, math.huge, false },
      { m.u8, m.i8, m.u16, m.i16, m.u32, m.i32, m.u64, m.i64, m.f32, m.no })
    assert.same({ false, true }, m.flags:values())
    assert.same({}, m.none:values())
  end)

  it("a tokenizer's words where they lie, not into tables", function()
    local words = {}
    for i = 1, 150000 do words[i] = text("word" .. i) end
    local path = path_of(made.file { entries = { entry("tokenizer.ggml.tokens", made.ARRAY,
      string.pack("<i4i8", made.STRING, #words) .. table.concat(words)),
      entry("after", made.U16, u16(7)) } })
    words = nil
    local source <close> = assert(map.open(path))
    collectgarbage()
    local before = collectgarbage("count")
    local file = assert(gguf.open(source, "x"))
    collectgarbage()
    assert.is_true(collectgarbage("count") - before < 100)
    local list = file.metadata["tokenizer.ggml.tokens"]
    assert.same({ 150000, "string", 7 }, { list.count, list.element, file.metadata.after })
    assert.same({ "word1", "word2" }, list:values(2))
    assert.equal("word150000", list:values()[150000])
    assert.is_nil(words)
  end)
end)

describe("bittern.model.gguf.writer", function()
  -- All of a file's content, as the writer takes it.
  local function content(file)
    local entries = {}
    for i, e in ipairs(file.entries) do
      local list = gguf.is_array(e.value)
      entries[i] = { key = e.key, type = e.type, value = list and e.value:values() or e.value,
        element = list and e.value.element or nil }
    end
    return entries, file.tensors
  end

  it("writes the reference's file again, byte for byte", function()
    local file = open(codecs)
    local path = support.folder() .. "/again.gguf"
    local w <close> = assert(writer.create(path, content(file)))
    -- Last tensor first, and in pieces: the order does not matter.
    for i = #file.tensors, 1, -1 do
      local t, slice = file.tensors[i], file:slice(file.tensors[i].name)
      assert(w:put(t.name, slice:slice(0, 54), 54))
      assert(w:put(t.name, slice:slice(54, t.size - 54), t.size - 54))
    end
    assert.is_nil(fs.stat(path))
    assert.equal(9024, w:commit())
    assert.equal(support.fixture("codecs.gguf"), fs.read(path))
  end)

  it("pads a last tensor, and holds no tensor or empty ones", function()
    local path = support.folder() .. "/x.gguf"
    local w <close> = assert(writer.create(path, {}, { { name = "h", dtype = "F16", shape = {} },
      { name = "e", dtype = "q4_0", shape = { 3, 0 } } }))
    assert(w:put("h", "xy", 2))
    assert(w:put("e", "", 0))
    assert.equal(128, w:commit())
    assert.equal("xy", open(path):slice("h"):read(0, 2))
    local empty <close> = assert(writer.create(path, {}, {}))
    assert.equal(32, empty:commit())
    assert.same({}, open(path).tensors)
  end)

  it("raises for what no reader takes", function()
    local function refuses(says, entries, tensors)
      assert.error_matches(function() writer.header(entries, tensors) end, says, 1, true)
    end
    local function one(name, dtype, shape)
      return { { name = name, dtype = dtype, shape = shape } }
    end
    refuses("tensor '': a name has 1 to 63 bytes", {}, one("", "F32", {}))
    refuses("a name has 1 to 63 bytes", {}, one(("n"):rep(64), "F32", {}))
    refuses("more than 4 dimensions", {}, one("t", "F32", { 1, 1, 1, 1, 1 }))
    refuses("GGUF has no U8", {}, one("t", "U8", { 1 }))
    refuses("no whole number of Q4_0 blocks", {}, one("t", "q4_0", { 2, 33 }))
    refuses("overflows", {}, one("t", "F32", { 1 << 40, 1 << 40 }))
    refuses("'t': is there twice", {}, { one("t", "F32", {})[1], one("t", "F32", {})[1] })
    refuses("key 'k' is empty, too long or there twice", { { key = "k", type = "u8", value = 1 },
      { key = "k", type = "u8", value = 1 } }, {})
    refuses("not a u8: 256", { { key = "k", type = "u8", value = 256 } }, {})
    refuses("not a u64: 5", { { key = "k", type = "u64", value = "5" } }, {})
    refuses("not a bool: 1", { { key = "k", type = "bool", value = 1 } }, {})
    refuses("no known type", { { key = "k", type = "u7", value = 1 } }, {})
    refuses("no known type", { { key = "k", type = "array", element = "array", value = {} } }, {})
    refuses("no power of two", { { key = "general.alignment", type = "u32", value = 3 } }, {})
  end)

  it("leaves nothing behind when it is not finished, and lets nothing unfinished pass", function()
    local folder = support.folder()
    local t = { { name = "t", dtype = "F32", shape = { 1 } } }
    do
      local w <close> = assert(writer.create(folder .. "/x.gguf", {}, t))
      assert.error_matches(function() w:commit() end, "tensor 't' lacks 4 bytes")
      assert.error_matches(function() w:put("t", "12345", 5) end, "5 bytes, 4 are left")
      assert.error_matches(function() w:put("u", "1", 1) end, "no tensor 'u'")
    end
    assert.equal("", support.run({ "ls", "-A", folder }).stdout)
    local none, message, code = writer.create(folder .. "/no/x.gguf", {}, t)
    assert.is_nil(none)
    assert.equal("not_found", code)
    assert.matches("/no/x.gguf", message)
  end)
end)

describe("shards of a GGUF model", function()
  local function shard(number, count, names, total, more)
    local entries = { entry("split.no", made.U16, u16(number)),
      entry("split.count", made.U16, u16(count)),
      entry("split.tensors.count", made.I32, u32(total)), more }
    local tensors = {}
    for i, name in ipairs(names) do tensors[i] = tensor(name, { 8 }, 0, 32 * (i - 1)) end
    return made.file { entries = entries, tensors = tensors, data = (names[1] or ""):rep(32) }
  end

  local function folder_of(files)
    local folder = support.folder()
    for name, bytes in pairs(files) do assert(fs.write(folder .. "/" .. name, bytes)) end
    return folder
  end

  local function refuses(files, path, says, id)
    local folder = folder_of(files)
    local opened, message, code = model.open(folder .. "/" .. path)
    assert.is_nil(opened)
    assert.equal(id or "model_shards", code, message)
    assert.is_truthy(message:find(says, 1, true), message)
  end

  local a, b = "m-00001-of-00002.gguf", "m-00002-of-00002.gguf"

  it("are opened together, whichever is named", function()
    local folder = folder_of { [a] = shard(0, 2, { "a" }, 2,
      entry("general.name", made.STRING, text "both")), [b] = shard(1, 2, { "b" }, 2) }
    for _, name in ipairs { a, b } do
      local m <close> = assert(model.open(folder .. "/" .. name))
      assert.same({ "a", "b" }, m.names)
      assert.equal("bbbb", m:tensor("b").slice:read(0, 4))
      assert.equal("both", m.metadata["general.name"])
    end
  end)

  it("are refused when one is missing, strange or in the wrong place", function()
    refuses({ [a] = shard(0, 2, { "a" }, 2) }, a, "m-00002-of-00002.gguf beside it")
    refuses({ [a] = shard(0, 2, { "a" }, 2), [b] = shard(0, 2, { "b" }, 2) }, a,
      "says to be shard 0 of 2, its name says 2 of 2")
    refuses({ [a] = shard(0, 2, { "a" }, 2), [b] = made.file { data = "" } }, a,
      "says to be shard nil of nil")
    refuses({ [a] = shard(0, 2, { "a" }, 2), [b] = shard(1, 2, { "a" }, 2) }, a,
      "tensor 'a' is in")
    refuses({ [a] = shard(0, 2, { "a" }, 3), [b] = shard(1, 2, { "b" }, 3) }, a,
      "3 tensors in all, its shards hold 2")
    refuses({ ["m.gguf"] = shard(0, 2, { "a" }, 2) }, "m.gguf", "does not end in -00001-of-00002")
    refuses({ [a] = shard(0, 3, { "a" }, 2) }, a, "does not end in -00001-of-00003")
    refuses({ [a] = shard(0, 2, { "a" }, 2), [b] = "GGUF" }, a, "truncated", "model_truncated")
  end)
end)

describe("bittern.model opens GGUF", function()
  it("by its content, with numbers of its plain types", function()
    local path = path_of(support.fixture("codecs.gguf"), "no-telling-name")
    local m <close> = assert(model.open(path))
    assert.same({ "gguf", "llama", 9 }, { m.kind, m.config.model_type, #m.names })
    local names = support.fixture("codecs.names")
    local at = 0
    for name in names:gmatch("[^\n]+") do
      local t = m:tensor(name)
      if t.dtype == "F32" or t.dtype == "F16" or t.dtype == "BF16" then
        local values, shape = m:floats(name)
        assert.same({ 3, 256 }, shape)
        assert.equal(support.fixture("codecs.f32"):sub(at + 1, at + 3072), values:text())
      end
      at = at + 3072
    end
    assert.is_false(m:has("config.json"))
    local none, _, code = m:file("config.json")
    assert.is_nil(none)
    assert.equal("not_found", code)
  end)

  it("and says which types it does not decode", function()
    local m <close> = assert(model.open(path_of(made.file {
      tensors = { tensor("t", { 256 }, 14, 0) }, data = ("\0"):rep(224) })))
    assert.equal("q6_k", m:tensor("t").dtype)
    local none, message, code = m:floats("t")
    assert.is_nil(none)
    assert.equal("unsupported", code)
    assert.matches("tensor 't' is q6_k", message)
  end)

  it("and a safetensors file alone", function()
    local m <close> = assert(model.open(support.model .. "/model.safetensors"))
    assert.same({ "safetensors", {} }, { m.kind, m.config })
    assert.equal(256, #m:floats("model.norm.weight"))
  end)
end)

describe("the table of GGUF types", function()
  it("agrees with the codecs of core.quant", function()
    for name, codec in pairs(require("core.quant").codecs()) do
      if codec.id then
        local kind = types.of_id(codec.id)
        assert.equal(name, kind.dtype:lower())
        assert.same({ kind.block, kind.bytes }, { require("core.quant").block(name) })
      end
    end
  end)

  it("has every id once", function()
    local list = types.list()
    assert.equal(35, #list)
    for i = 2, #list do assert.is_true(list[i].id > list[i - 1].id) end
  end)
end)

describe("bittern.model.imatrix", function()
  local function write(entries, tensors)
    local path = support.folder() .. "/i.gguf"
    local list, data = {}, {}
    for i, t in ipairs(tensors) do
      local values = buffer.new("f32", #t.values)
      for j, value in ipairs(t.values) do values:set(j - 1, value) end
      list[i] = { name = t.name, dtype = "F32", shape = t.shape or { #t.values } }
      data[t.name] = values
    end
    local w <close> = assert(writer.create(path, entries, list))
    for name, values in pairs(data) do assert(w:put(name, values, values:bytes_size())) end
    assert(w:commit())
    return path
  end

  local kind = { key = "general.type", type = "string", value = "imatrix" }
  local sums = { name = "blk.0.attn_q.weight.in_sum2", values = { 1, 2, 3 } }
  local counts = { name = "blk.0.attn_q.weight.counts", values = { 5 } }

  it("reads sums and counts, of experts too", function()
    local path = write({ kind, { key = "imatrix.chunk_count", type = "u32", value = 4 },
      { key = "imatrix.chunk_size", type = "u32", value = 512 },
      { key = "imatrix.datasets", type = "array", element = "string", value = { "wiki.txt" } } },
      { sums, counts, { name = "e.in_sum2", values = { 1, 2, 3, 4 }, shape = { 2, 2 } },
        { name = "e.counts", values = { 7, 8 }, shape = { 2, 1 } } })
    local importance = assert(imatrix.read(path))
    assert.same({ "blk.0.attn_q.weight", "e" }, importance.names)
    assert.same({ 4, 512, { "wiki.txt" } },
      { importance.chunk_count, importance.chunk_size, importance.datasets })
    local q = importance:of("model.layers.0.self_attn.q_proj.weight")
    assert.equal(q, importance:of("blk.0.attn_q.weight"))
    assert.same({ 3, 1, 2, 5 }, { q.columns, q.matrices, q.sums:get(1), q.counts:get(0) })
    local e = importance:of("e")
    assert.same({ 2, 2, 4, 8 }, { e.columns, e.matrices, e.sums:get(3), e.counts:get(1) })
    assert.is_nil(importance:of("model.norm.weight"))
  end)

  it("refuses what is none", function()
    local function refuses(says, id, entries, tensors)
      local none, message, code = imatrix.read(write(entries, tensors))
      assert.is_nil(none)
      assert.equal(id, code)
      assert.is_truthy(message:find(says, 1, true), message)
    end
    refuses("general.type is missing", "unsupported", {}, {})
    refuses("general.type is 'model'", "unsupported",
      { { key = "general.type", type = "string", value = "model" } }, {})
    refuses("'blk.0.attn_q.weight' lacks its counts", "model_tensor", { kind }, { sums })
    refuses("'blk.0.attn_q.weight' lacks its sums", "model_tensor", { kind }, { counts })
    refuses("3 sums in rows of 3 do not go with 2 counts", "model_tensor", { kind },
      { sums, { name = counts.name, values = { 1, 2 } } })
    refuses("'x' is neither sums nor counts", "model_tensor", { kind },
      { { name = "x", values = { 1 } } })
    local none, message, code = imatrix.read(codecs)
    assert.is_nil(none)
    assert.same({ codecs .. ": not an importance matrix: general.type is missing", "unsupported" },
      { message, code })
  end)
end)
