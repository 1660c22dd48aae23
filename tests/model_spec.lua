local fs = require "core.fs"
local architecture = require "bittern.model.architecture"
local json = require "bittern.json"
local model = require "bittern.model"
local safetensors = require "bittern.model.safetensors"
local support = require "tests.support"

local config = assert(fs.read(support.model .. "/config.json"))

-- A folder with these files.
local function folder_with(files)
  local path = support.folder()
  for name, text in pairs(files) do assert(fs.write(path .. "/" .. name, text)) end
  return path
end

-- A safetensors file of one-byte tensors.
local function weights(...)
  local entries = {}
  for i, name in ipairs { ... } do entries[i] = { name = name, dtype = "U8", shape = { 1 } } end
  return safetensors.header(entries, {}) .. ("x"):rep(#entries)
end

local function index(map)
  return json.encode { metadata = { total_size = 2.0 }, weight_map = map }
end

local function refuses(files, says, id)
  local path = folder_with(files)
  local opened, message, code = model.open(path)
  assert.is_nil(opened)
  assert.equal(id or "invalid_model", code)
  assert.equal(path, message:sub(1, #path))
  assert.is_truthy(message:find(says, 1, true), message)
end

describe("bittern.model opens", function()
  it("misses a file that is there and cannot be looked at", function()
    local path = folder_with { ["config.json"] = config, ["model.safetensors"] = weights "a" }
    support.run { "ln", "-s", "vocab.json", path .. "/vocab.json" }
    local opened <close> = assert(model.open(path))
    assert.is_true(opened:has "vocab.json")
    assert.equal("io", select(3, opened:file "vocab.json"))
    assert.is_false(opened:has "merges.txt")
  end)

  it("a directory", function()
    local m <close> = assert(model.open(support.model))
    assert.equal("directory", m.kind)
    assert.equal("qwen3", m.config.model_type)
    assert.equal("model.embed_tokens.weight", m.names[1])
    local tensor = m:tensor("model.norm.weight")
    assert.same({ 256 }, tensor.shape)
    assert.equal("BF16", tensor.dtype)
    assert.equal(512, tensor.slice:size())
    local values, shape = m:floats("model.norm.weight")
    assert.equal(256, #values)
    assert.same({ 256 }, shape)
    assert.equal(config, m:file("config.json"))
    assert.is_true(m:has("config.json"))
    assert.is_false(m:has("tokenizer.json"))
  end)

  it("an archive of one, with or without a folder inside", function()
    for _, inside in ipairs { "", "deep/" } do
      local path = support.folder() .. "/model.zip"
      support.python([[
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_STORED) as z:
    for name in ("config.json", "model.safetensors"):
        z.write(sys.argv[2] + "/" + name, sys.argv[3] + name)
]], path, support.model, inside)
      local m <close> = assert(model.open(path))
      assert.equal("archive", m.kind)
      assert.equal(512, m:tensor("model.norm.weight").slice:size())
      assert.equal(config, m:file("config.json"))
    end
  end)

  it("shards named by an index", function()
    local path = folder_with {
      ["config.json"] = config,
      ["model.safetensors.index.json"] = index { a = "1.safetensors", b = "2.safetensors" },
      ["1.safetensors"] = weights("a"), ["2.safetensors"] = weights("b"),
    }
    local m <close> = assert(model.open(path))
    assert.same({ "a", "b" }, m.names)
    assert.equal("x", m:tensor("b").slice:read(0, 1))
  end)
end)

describe("bittern.model refuses", function()
  it("what is not there, naming it", function()
    local opened, message, code = model.open("/nowhere/model")
    assert.is_nil(opened)
    assert.matches("^/nowhere/model: ", message)
    assert.equal("not_found", code)
    refuses({}, ": no config.json")
    refuses({ ["config.json"] = config }, ": no model.safetensors")
  end)

  it("a config that is no object", function()
    for _, text in ipairs { "", "{", "[", "1", "null", '"a"' } do
      refuses({ ["config.json"] = text, ["model.safetensors"] = weights("a") }, "/config.json: ")
    end
  end)

  it("broken weights, naming the file", function()
    refuses({ ["config.json"] = config, ["model.safetensors"] = "short" },
      "/model.safetensors: truncated: 5 bytes", "model_truncated")
  end)

  it("indexes that do not fit their shards", function()
    local function shards(map, files, says)
      files["config.json"] = config
      files["model.safetensors.index.json"] = type(map) == "string" and map or index(map)
      refuses(files, says)
    end
    shards("{}", {}, "no weight_map")
    shards('{"weight_map":{}}', {}, "no weight_map")
    shards({ a = "../a.safetensors" }, {}, "'../a.safetensors' is no shard's name")
    shards({ a = ".safetensors" }, {}, "is no shard's name")
    shards({ a = "a.bin" }, {}, "'a.bin' is no shard's name")
    shards({ a = "m-1-of-1.safetensors" }, { ["m-1-of-1.safetensors"] = weights("a"),
      ["m-2-of-2.safetensors"] = weights("b") },
      "holds m-2-of-2.safetensors, which the index does not name")
    shards({ a = 1 }, {}, "is no shard's name")
    shards({ a = "a.safetensors" }, {}, "no a.safetensors")
    shards({ a = "a.safetensors", b = "a.safetensors" }, { ["a.safetensors"] = weights("a") },
      "a.safetensors lacks 'b'")
    shards({ a = "a.safetensors" }, { ["a.safetensors"] = weights("a", "b") },
      "a.safetensors holds 'b'")
  end)

  it("tensors that it lacks or that are no floats", function()
    local path = folder_with { ["config.json"] = config, ["model.safetensors"] = weights("a") }
    local m <close> = assert(model.open(path))
    local none, message, code = m:tensor("b")
    assert.is_nil(none)
    assert.matches("no tensor 'b'", message)
    assert.equal("not_found", code)
    none, message, code = m:floats("a")
    assert.is_nil(none)
    assert.matches("tensor 'a' is U8", message)
    assert.equal("unsupported", code)
    none, message, code = m:file("tokenizer.json")
    assert.is_nil(none)
    assert.matches("no tokenizer.json", message)
    assert.equal("not_found", code)
    assert.error_matches(function() m:file("../x") end, "has no folder")
  end)

  it("to read after it was closed, as often as it is closed", function()
    local m = assert(model.open(support.model))
    local slice = m:tensor("model.norm.weight").slice
    m:close()
    m:close()
    assert.error_matches(function() slice:read(0, 1) end, "closed")
  end)
end)

describe("bittern.model.architecture", function()
  local function with(changes)
    local c = json.decode(config)
    for key, value in pairs(changes) do c[key] = value end
    return c
  end

  it("takes what the forward pass needs from a config", function()
    local c = assert(architecture.describe(json.decode(config), "c"))
    assert.same({ 256, 260, 4 }, { c.hidden, c.vocab, #c.layers })
    local layer = c.layers[2]
    assert.same({ 4, 2, 64 }, { layer.attention.heads, layer.attention.kv_heads,
      layer.attention.head_dim })
    assert.same({ weight = "model.layers.1.mlp.up_proj.weight", inputs = 256, outputs = 512 },
      layer.mlp.up)
    assert.same({ weight = "model.norm.weight", eps = 1e-6 }, c.norm)
    assert.equal("model.embed_tokens.weight", c.head.weight)
    assert.near(1e6 ^ (-2 / 64), c.rotary.frequencies:get(1), 1e-7)
    local newer = with { rope_parameters = { rope_type = "default", rope_theta = 5e5 } }
    assert.near(5e5 ^ (-2 / 64), architecture.describe(newer, "c").rotary.frequencies:get(1), 1e-7)
  end)

  it("slows rotary positions as Llama 3.1 and linear scaling do", function()
    local function frequencies(rope)
      local c = with { model_type = "llama", rope_scaling = rope, rope_theta = 5e5 }
      return assert(architecture.describe(c, "c")).rotary.frequencies
    end
    local plain, linear = frequencies(nil), frequencies { type = "linear", factor = 4 }
    local llama3 = frequencies { rope_type = "llama3", factor = 8, low_freq_factor = 1,
      high_freq_factor = 4, original_max_position_embeddings = 8192 }
    for i = 0, 31 do
      assert.near(plain:get(i) / 4, linear:get(i), 1e-9)
      local length = 2 * math.pi / plain:get(i)
      local smooth = math.max(0, math.min(1, (8192 / length - 1) / 3))
      assert.near((1 - smooth) * plain:get(i) / 8 + smooth * plain:get(i), llama3:get(i), 1e-7)
    end
    local c, message = architecture.describe(with { rope_scaling = { type = "linear" } }, "c")
    assert.is_nil(c)
    assert.equal("c: rope_scaling: factor must be a number above 0", message)
  end)

  it("names what is not supported", function()
    for says, changes in pairs {
      ["model_type 'mamba' is not supported; these are: gpt2, llama, qwen3"] = {
        model_type = "mamba" },
      ["model_type '../llama' is not supported"] = { model_type = "../llama" },
      ["model_type 'false'"] = { model_type = false },
      ["attention_bias = true is not supported"] = { attention_bias = true },
      ["hidden_act = gelu is not supported"] = { hidden_act = "gelu" },
      ["use_sliding_window = true"] = { use_sliding_window = true },
      ["rope of type 'yarn'"] = { rope_scaling = { rope_type = "yarn" } },
      ["layers of type 'linear_attention'"] = { layer_types = { "linear_attention" } },
    } do
      local c, message, code = architecture.describe(with(changes), "c")
      assert.is_nil(c)
      assert.equal("unsupported", code)
      assert.is_truthy(message:find(says, 1, true), message)
    end
  end)

  it("names what is wrong", function()
    for says, changes in pairs {
      ["hidden_size must be a whole number in 1..65536"] = { hidden_size = 1 << 40 },
      ["num_hidden_layers must be"] = { num_hidden_layers = 0 },
      ["vocab_size must be"] = { vocab_size = -1 },
      ["intermediate_size must be"] = { intermediate_size = 0.5 },
      ["head_dim must be even"] = { head_dim = 3 },
      ["num_attention_heads must be"] = { num_attention_heads = "4" },
      ["num_key_value_heads must divide"] = { num_key_value_heads = 3 },
      ["rms_norm_eps must"] = { rms_norm_eps = 0 },
      ["rope_theta must"] = { rope_theta = "big" },
      ["tie_word_embeddings must"] = { tie_word_embeddings = 1 },
      ["rope_scaling must be an object"] = { rope_scaling = 2 },
    } do
      local c, message, code = architecture.describe(with(changes), "c")
      assert.is_nil(c)
      assert.equal("invalid_model", code)
      assert.is_truthy(message:find("c: " .. says, 1, true), message)
    end
    local bare = with {}
    bare.vocab_size = nil
    local _, message = architecture.describe(bare, "c")
    assert.equal("c: no vocab_size", message)
  end)
end)
