local fs = require "core.fs"
local lfs = require "lfs"

local convert = require "bittern.convert"
local gguf = require "bittern.model.gguf"
local json = require "bittern.json"
local made = require "tests.gguf_bytes"
local model = require "bittern.model"
local process = require "core.process"
local small_model = require "tests.small_model"
local support = require "tests.support"

local home = support.folder()
local codecs = support.root .. "/tests/fixtures/codecs.gguf"

local function bittern(...)
  return support.bittern(home, { ... })
end

local function converts(...)
  local done = bittern("--json", "convert", ...)
  assert.equal(0, done.status, done.stdout .. done.stderr)
  return json.decode(done.stdout)
end

local function fails(exit, id, fragment, ...)
  local done = bittern("--json", "convert", ...)
  assert.equal(exit, done.status, done.stdout .. done.stderr)
  local failure = json.decode(done.stdout).error
  assert.equal(id, failure.id, failure.message)
  assert.is_truthy(failure.message:find(fragment, 1, true), failure.message)
end

-- Every tensor of a model: name -> dtype, shape and bytes.
local function tensors_of(path)
  local m <close> = assert(model.open(path))
  local result = {}
  for _, name in ipairs(m.names) do
    local t = m:tensor(name)
    result[name] = { t.dtype, t.shape, t.slice:read(0, t.slice:size()) }
  end
  return result
end

local function out(name)
  return support.folder() .. "/" .. name
end

describe("bittern convert", function()
  it("takes the shipped model to GGUF and back, every bit of it", function()
    local truth = tensors_of(support.model)
    for _, to in ipairs { false, "bf16", "f32" } do
      local file, dir = out "m.gguf", out "back"
      local there = to and { "--to", to } or {}
      converts(support.model, file, table.unpack(there))
      converts(file, dir, table.unpack(to == "f32" and { "--to", "bf16" } or there))
      assert.same(truth, tensors_of(dir))
      assert.equal(fs.read(support.model .. "/config.json"), fs.read(dir .. "/config.json"))
    end
  end)

  it("writes what llama.cpp expects of a Qwen3 model", function()
    local file = out "m.gguf"
    local r = converts(support.model, file)
    assert.same({ "gguf", 46, 0, 2428672 }, { r.format, #r.tensors, r.kept, r.parameters })
    local m <close> = assert(model.open(file))
    for key, value in pairs {
      ["general.architecture"] = "qwen3", ["general.file_type"] = 32, ["qwen3.block_count"] = 4,
      ["qwen3.embedding_length"] = 256, ["qwen3.feed_forward_length"] = 512,
      ["qwen3.attention.head_count"] = 4, ["qwen3.attention.head_count_kv"] = 2,
      ["qwen3.attention.key_length"] = 64, ["qwen3.attention.value_length"] = 64,
      ["qwen3.context_length"] = 1024, ["qwen3.rope.freq_base"] = 1e6,
      ["qwen3.vocab_size"] = 260,
    } do
      assert.equal(value, m.metadata[key], key)
    end
    assert.near(1e-6, m.metadata["qwen3.attention.layer_norm_rms_epsilon"], 1e-12)
    assert.same({ "BF16", { 260, 256 } }, { m:tensor("token_embd.weight").dtype,
      m:tensor("token_embd.weight").shape })
    for _, name in ipairs { "output_norm.weight", "blk.3.attn_norm.weight",
      "blk.0.attn_q_norm.weight" } do
      assert.equal("F32", m:tensor(name).dtype)
    end
    assert.equal("BF16", m:tensor("blk.2.ffn_down.weight").dtype)
  end)

  it("gives a file that scores as its model does", function()
    local text, file = home .. "/text", out "m.gguf"
    assert(fs.write(text, assert(fs.read(support.model .. "/heldout.txt")):sub(1, 512)))
    converts(support.model, file)
    local a = bittern("--json", "eval", support.model, "--text", text)
    local b = bittern("--json", "eval", file, "--text", text)
    assert.equal(0, b.status, b.stderr)
    assert.equal(a.stdout, b.stdout)
  end)

  it("does without our own config where GGUF's keys tell enough", function()
    local file, bare, dir = out "m.gguf", out "bare.gguf", out "back"
    converts(support.model, file)
    local map = require "core.map"
    local source <close> = assert(map.open(file))
    local read = assert(gguf.open(source, file))
    local entries = {}
    for _, e in ipairs(read.entries) do
      if e.key ~= "bittern.config" then entries[#entries + 1] = e end
    end
    local w <close> = assert(require("bittern.model.gguf.writer").create(bare, entries,
      read.tensors))
    for _, t in ipairs(read.tensors) do assert(w:put(t.name, read:slice(t.name), t.size)) end
    assert(w:commit())
    converts(bare, dir)
    assert.same(tensors_of(support.model), tensors_of(dir))
    local architecture = require "bittern.model.architecture"
    local function sizes(path)
      local config = json.decode(assert(fs.read(path .. "/config.json")))
      local description = assert(architecture.describe(config, path))
      description.rotary.frequencies = description.rotary.frequencies:text()
      return description
    end
    assert.same(sizes(support.model), sizes(dir))
    assert.equal("bfloat16", json.decode(fs.read(dir .. "/config.json")).torch_dtype)
  end)

  it("gives the same bytes every time", function()
    local a, b = out "a.gguf", out "b.gguf"
    converts(support.model, a, "--to", "q4_0")
    converts(support.model, b, "--to", "q4_0")
    assert.is_true(fs.read(a) == fs.read(b))
  end)

  it("encodes matrices in every codec of GGUF, and vectors stay whole", function()
    local quant = require "core.quant"
    local name = "model.layers.1.mlp.up_proj.weight"
    local m <close> = assert(model.open(support.model))
    local weights = m:floats(name)
    for _, codec in ipairs(convert.BLOCKS) do
      local file = out "m.gguf"
      local r = converts(support.model, file, "--to", codec)
      assert.equal(0, r.kept)
      local coded <close> = assert(model.open(file))
      local t = coded:tensor("blk.1.ffn_up.weight")
      assert.equal(codec, t.dtype)
      local expected = assert(quant.encode_blocks(codec, weights, 256))
      assert.is_true(expected:text() == t.slice:read(0, t.slice:size()))
      assert.equal("F32", coded:tensor("blk.1.ffn_norm.weight").dtype)
      assert.equal(2, coded.metadata["general.quantization_version"])
    end
    local fitted = out "f.gguf"
    converts(support.model, fitted, "--to", "tq2_0", "--fit", "least_squares")
    local coded <close> = assert(model.open(fitted))
    local t = coded:tensor("blk.1.ffn_up.weight")
    local expected = assert(quant.encode_blocks("tq2_0", weights, 256, { fit = "least_squares" }))
    assert.is_true(expected:text() == t.slice:read(0, t.slice:size()))
  end)

  it("keeps what --keep names and what has no whole blocks", function()
    local dir = small_model.write({
      { name = "model.embed_tokens.weight", shape = { 4, 64 } },
      { name = "model.layers.0.mlp.up_proj.weight", shape = { 2, 40 } },
      { name = "model.layers.0.mlp.down_proj.weight", shape = { 3, 64 } },
    }, { config = { model_type = "qwen3" } })
    local file = out "m.gguf"
    local r = converts(dir, file, "--to", "q8_0", "--keep", "embed")
    assert.equal(2, r.kept)
    local dtypes = {}
    for name, t in pairs(tensors_of(file)) do dtypes[name] = t[1] end
    assert.same({ ["token_embd.weight"] = "BF16", ["blk.0.ffn_up.weight"] = "BF16",
      ["blk.0.ffn_down.weight"] = "q8_0" }, dtypes)
    local done = bittern("convert", dir, file, "--to", "q8_0", "--keep", "embed")
    assert.matches("2 matrices did not become q8_0", done.stderr)
    assert.matches("llama.cpp also wants a tokenizer", done.stderr)
  end)

  it("takes packed artifacts apart", function()
    local packed, dir, file = out "packed", out "dense", out "m.gguf"
    assert.equal(0, bittern("compress", support.model, "--budget", "binary", "--out", packed,
      "--quiet").status)
    fails(2, "usage", "say --to f32, f16 or bf16", packed, file)
    converts(packed, dir, "--to", "f32")
    local config = json.decode(fs.read(dir .. "/config.json"))
    assert.same({ "qwen3" }, { config.model_type, config.auto_map, config.bittern })
    converts(packed, file, "--to", "f32")
    local a <close> = assert(model.open(dir))
    local b <close> = assert(model.open(file))
    local name = "layers.0.mlp.gate_proj.weight"
    assert.is_true(a:floats("model." .. name):text() == b:floats("blk.0.ffn_gate.weight"):text())
  end)

  it("copies files between plain forms, names and all", function()
    local file, again = out "x.safetensors", out "x.gguf"
    converts(codecs, file, "--to", "f32")
    local expected, at = support.fixture("codecs.f32"), 0
    local seen = tensors_of(file)
    for name in support.fixture("codecs.names"):gmatch("[^\n]+") do
      assert.same({ "F32", { 3, 256 }, expected:sub(at + 1, at + 3072) }, seen[name])
      at = at + 3072
    end
    converts(file, again)
    assert.same(seen, tensors_of(again))
    -- GGUF to GGUF keeps codecs, metadata and their order.
    local copy = out "copy.gguf"
    converts(codecs, copy)
    assert.same(tensors_of(codecs), tensors_of(copy))
    local a <close> = assert(model.open(codecs))
    local b <close> = assert(model.open(copy))
    for i, entry in ipairs(a.entries) do
      assert.equal(entry.key, b.entries[i].key)
      if gguf.is_array(entry.value) then
        assert.same(entry.value:values(), b.entries[i].value:values())
      else
        assert.equal(entry.value, b.entries[i].value)
      end
    end
    local merged = out "merged"
    converts(support.model, merged, "--to", "f16")
    assert.equal("F16", tensors_of(merged)["model.norm.weight"][1])
  end)

  it("carries a tokenizer file through", function()
    local dir = small_model.write({ { name = "model.norm.weight", shape = { 4 } } },
      { config = { model_type = "qwen3" }, files = { ["tokenizer.json"] = '{"a":1}',
        ["merges.txt"] = "a b" } })
    local file, back, copy = out "m.gguf", out "back", out "copy"
    converts(dir, file)
    converts(file, back)
    assert.equal('{"a":1}', fs.read(back .. "/tokenizer.json"))
    converts(dir, copy)
    assert.equal("a b", fs.read(copy .. "/merges.txt"))
  end)

  it("shows a plan without writing", function()
    local file = out "m.gguf"
    local done = bittern("convert", support.model, file, "--to", "q4_0", "--dry-run")
    assert.equal(0, done.status, done.stderr)
    assert.matches("\nblk.0.ffn_up.weight +512x256  bf16  q4_0\n", done.stdout)
    for line in done.stdout:gmatch("[^\n]+") do assert.is_true(#line <= 80, line) end
    assert.matches("46 tensors, 1,379,776 bytes", done.stderr)
    assert.is_nil(fs.stat(file))
    assert.equal(1379776, converts(support.model, file, "--to", "q4_0").bytes)
    assert.equal(1379776, fs.stat(file).size)
  end)
end)

describe("bittern convert, for Llama models,", function()
  local heads, kv, head, hidden = 4, 2, 8, 32

  local function write(dtype)
    return small_model.write({
      { name = "model.embed_tokens.weight", shape = { 16, hidden }, dtype = dtype },
      { name = "model.norm.weight", shape = { hidden }, dtype = dtype },
      { name = "lm_head.weight", shape = { 16, hidden }, dtype = dtype },
      { name = "model.layers.0.self_attn.q_proj.weight", shape = { heads * head, hidden },
        dtype = dtype },
      { name = "model.layers.0.self_attn.q_proj.bias", shape = { heads * head }, dtype = dtype },
      { name = "model.layers.0.self_attn.k_proj.weight", shape = { kv * head, hidden },
        dtype = dtype },
      { name = "model.layers.0.self_attn.v_proj.weight", shape = { kv * head, hidden },
        dtype = dtype },
    }, { config = { model_type = "llama", hidden_size = hidden, num_attention_heads = heads,
      num_key_value_heads = kv, num_hidden_layers = 1, rms_norm_eps = 1e-5,
      tie_word_embeddings = false } })
  end

  it("orders the rows of queries and keys as llama.cpp's converter does", function()
    local dir, file = write "F32", out "m.gguf"
    converts(dir, file)
    local source <close> = assert(model.open(dir))
    local result <close> = assert(model.open(file))
    local permute = [[
import sys, numpy as np
heads, cols = int(sys.argv[2]), int(sys.argv[3])
w = np.frombuffer(bytes.fromhex(sys.argv[1]), "<f4").reshape(-1, cols)
p = w.reshape(heads, 2, w.shape[0] // heads // 2, cols).swapaxes(1, 2).reshape(w.shape)
sys.stdout.write(p.tobytes().hex())]]
    local function hex(text)
      return (text:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
    end
    for _, case in ipairs {
      { "model.layers.0.self_attn.q_proj.weight", "blk.0.attn_q.weight", heads, hidden },
      { "model.layers.0.self_attn.q_proj.bias", "blk.0.attn_q.bias", heads, 1 },
      { "model.layers.0.self_attn.k_proj.weight", "blk.0.attn_k.weight", kv, hidden },
    } do
      local expected = support.python(permute, hex(source:floats(case[1]):text()),
        tostring(case[3]), tostring(case[4]))
      assert.equal(expected, hex(result:floats(case[2]):text()))
    end
    assert.equal(source:floats("model.layers.0.self_attn.v_proj.weight"):text(),
      result:floats("blk.0.attn_v.weight"):text())
  end)

  it("and gets them back, in every type", function()
    for _, dtype in ipairs { "F32", "F16", "BF16" } do
      local dir, file, back = write(dtype), out "m.gguf", out "back"
      converts(dir, file)
      converts(file, back)
      assert.same(tensors_of(dir), tensors_of(back))
    end
    -- Rows of blocks move as wholes.
    local dir, a, b, c = write "F32", out "a.gguf", out "b", out "c.gguf"
    converts(dir, a, "--to", "q8_0")
    converts(a, b, "--to", "f32")
    converts(b, c, "--to", "q8_0")
    assert.same(tensors_of(a), tensors_of(c))
  end)

  it("refuses heads that do not share the rows", function()
    local dir = small_model.write({ { name = "model.layers.0.self_attn.q_proj.weight",
      shape = { 6, 4 } } }, { config = { model_type = "llama", num_attention_heads = 4 } })
    fails(1, "invalid_model", "has 6 rows, which 4 heads do not share", dir, out "m.gguf")
    dir = small_model.write({ { name = "model.layers.0.self_attn.q_proj.weight",
      shape = { 6, 4 } } }, { config = { model_type = "llama" } })
    fails(1, "invalid_model", "which 0 heads", dir, out "m.gguf")
  end)
end)

describe("bittern convert refuses", function()
  it("what has no form there", function()
    local other = small_model.write { { name = "w", shape = { 2, 2 } } }
    fails(1, "unsupported", "tensor 'w' has no name in GGUF form", other, out "m.gguf")
    local gpt = small_model.write({ { name = "lm_head.weight", shape = { 2, 2 } } },
      { config = { model_type = "gpt2" } })
    fails(1, "unsupported", "model_type 'gpt2' has no GGUF form here", gpt, out "m.gguf")
    local scaled = small_model.write({ { name = "lm_head.weight", shape = { 2, 2 } } },
      { config = { model_type = "llama", rope_scaling = { rope_type = "llama3" } } })
    fails(1, "unsupported", "scaled rotary positions", scaled, out "m.gguf")
    fails(1, "unsupported", "'bf16.weight' has no name in Hugging Face form", codecs, out "dir")
    local bytes = small_model.write({ { name = "lm_head.weight", shape = { 2 }, dtype = "U8",
      text = "ab" } }, { config = { model_type = "qwen3" } })
    fails(1, "unsupported", "is u8, which GGUF does not have", bytes, out "m.gguf")
    local file = out "k.gguf"
    assert(fs.write(file, made.file { tensors = { made.tensor("t", { 256 }, 14, 0) },
      data = ("\0"):rep(224) }))
    fails(1, "unsupported", "is q6_k, which safetensors does not have", file,
      out "x.safetensors", "--to", "f32")
    fails(2, "usage", "has no config.json", support.model .. "/model.safetensors", out "dir")
  end)

  it("what is no codec, and what codecs cannot hold", function()
    fails(2, "usage", "unknown codec 'q8_1'; did you mean 'q8_0'?", support.model, out "m.gguf",
      "--to", "q8_1")
    fails(2, "usage", "safetensors has no q4_0", support.model, out "dir", "--to", "q4_0")
    fails(2, "usage", "--fit least_squares goes with", support.model, out "m.gguf", "--to", "q4_0",
      "--fit", "least_squares")
    local large = small_model.write({ { name = "lm_head.weight", shape = { 1, 2 }, dtype = "F32",
      text = string.pack("<ff", 1, 1e30) } }, { config = { model_type = "qwen3" } })
    fails(1, "model_dtype", "1e+30 does not fit f16", large, out "m.gguf", "--to", "f16")
    local broken = small_model.write({ { name = "lm_head.weight", shape = { 3, 32 }, dtype = "F32",
      value = function(i) return i == 70 and 0 / 0 or 1 end } },
      { config = { model_type = "qwen3" } })
    fails(1, "invalid_model", "tensor 'lm_head.weight': row 2, column 6", broken, out "m.gguf",
      "--to", "q8_0")
  end)

  it("to write over the model itself, or into nowhere", function()
    fails(2, "usage", "is the model itself", support.model, support.model)
    fails(7, "not_found", "/nowhere", "/nowhere", out "m.gguf")
    fails(7, "not_found", "m.gguf", support.model, home .. "/no/such/m.gguf")
  end)

  it("to leave a half file at Ctrl-C or after a failure", function()
    local folder = support.folder()
    local hollow = small_model.hollow(100000, 2000)
    assert(fs.write(hollow .. "/config.json", '{"model_type":"qwen3"}'))
    local child = assert(process.spawn { stdout = "null", stderr = "null",
      argv = { support.bin, "convert", hollow .. "/model.safetensors", folder .. "/x.gguf", "--to",
        "f32" } })
    assert.is_nil((child:wait(0.3)))
    child:kill(2)
    assert.equal(130, assert(child:wait(5)).status)
    local left = {}
    for name in lfs.dir(folder) do left[#left + 1] = name end
    assert.equal(2, #left)
  end)
end)
