local fs = require "core.fs"

local content = require "bittern.inspect.content"
local export = require "bittern.artifact.export"
local models = require "bittern.model"
local naming = require "bittern.model.naming"
local packed = require "bittern.artifact.packed"
local packed_model = require "tests.packed_model"
local small_model = require "tests.small_model"
local support = require "tests.support"

local config = {
  model_type = "qwen3", architectures = require("bittern.json").array { "Qwen3ForCausalLM" },
  hidden_size = 256, intermediate_size = 256, num_hidden_layers = 1, num_attention_heads = 2,
  num_key_value_heads = 2, head_dim = 128, vocab_size = 4, rms_norm_eps = 1e-6, rope_theta = 10000,
  max_position_embeddings = 64, tie_word_embeddings = true,
}

local function at(module) return "model.layers.0." .. module .. ".weight" end

-- Each module with what it is stored as and the GGUF codec that it becomes.
local cases = {
  { at "self_attn.q_proj", "b1", 0, "q1_0" }, { at "self_attn.k_proj", "t5", 256, "tq1_0" },
  { at "self_attn.v_proj", "t2", 0, "tq2_0" }, { at "self_attn.o_proj", "t5", 64, "q2_0" },
  { at "mlp.gate_proj", "b1", 64, "q8_0" }, { at "mlp.up_proj", "q4", 0, "q8_0" },
  { at "mlp.down_proj", "t2", 128, "q8_0", rescued = 1 },
}

local function model_dir()
  local matrices = {}
  for i, case in ipairs(cases) do
    local m = { codec = case[2], group = case[3], shape = { 4, 256 }, rescued = case.rescued or 0 }
    matrices[i] = { case[1], m, { 2 } }
  end
  return packed_model.write(matrices, { config = config, plain = {
    { name = "model.norm.weight", shape = { 256 }, dtype = "F16" },
    { name = "model.embed_tokens.weight", shape = { 4, 256 } },
  } })
end

local function values(dir, name)
  local model <close> = assert(models.open(dir))
  local held, parts = assert(content.of(model)), {}
  assert(content.each(model, assert(content.find(held, model, name)), nil, function(piece)
    parts[#parts + 1] = piece:text()
    return true
  end))
  return table.concat(parts), held.by_name[name].codec
end

describe("an artifact as GGUF", function()
  it("keeps the numbers where a block codec holds them, and names the others", function()
    local dir, out = model_dir(), support.folder() .. "/a.gguf"
    local done = assert(export.gguf { dir = dir, out = out })
    assert.equal(fs.stat(out).size, done.size)
    assert.same({ 7, { "mlp.down_proj", "mlp.gate_proj", "mlp.up_proj" } }, { done.matrices, {
      done.rounded[1].name:match("mlp%.%l+_proj"), done.rounded[2].name:match("mlp%.%l+_proj"),
      done.rounded[3].name:match("mlp%.%l+_proj") } })
    -- Zeros may differ in their sign, which no sum notices.
    local function unsigned(text) return (text:gsub("\0\0\0\x80", "\0\0\0\0")) end
    for _, case in ipairs(cases) do
      local theirs, codec = values(out, naming.to_gguf(case[1]))
      assert.equal(case[4], codec, case[1])
      if codec ~= "q8_0" then
        assert.is_true(unsigned(values(dir, case[1])) == unsigned(theirs), case[1])
      end
    end
  end)

  it("falls back to f16 where rows are no whole blocks", function()
    local function kind(codec, group, cols, more)
      local m = { codec = codec, group = group, shape = { 2, cols }, rescued = 0, bases = 1 }
      for key, value in pairs(more or {}) do m[key] = value end
      return table.concat({ export.gguf_type(m) }, " ", 1, 1) .. " "
        .. tostring(select(2, export.gguf_type(m)))
    end
    assert.equal("f16 false", kind("b1", 0, 100))
    assert.equal("q8_0 false", kind("b1", 0, 160))
    assert.equal("q1_0 true", kind("b1", 384, 384))
    assert.equal("q2_0 true", kind("t2", 192, 192))
    assert.equal("q8_0 false", kind("t5", 0, 256, { bases = 2 }))
    assert.equal("q8_0 false", kind("t5", 0, 256, { offsets = true }))
    assert.equal("q8_0 false", kind("b1", 0, 256, { columns = true }))
  end)
end)

describe("an artifact as a dense archive", function()
  it("is a plain directory of the base model, which verifies", function()
    local dir, out = model_dir(), support.folder() .. "/a.zip"
    local done = assert(export.dense { dir = dir, out = out, dtype = "f32" })
    assert.same({ fs.stat(out).size, require("core.sha256").hex(assert(fs.read(out))) },
      { done.size, done.sha256 })
    local found = assert(require("bittern.artifact.verify").run { path = out })
    local model <close> = assert(models.open(dir))
    assert.same({ packed.parameters(model), 0 }, { found.parameters, found.matrices })
    for _, case in ipairs(cases) do
      assert.is_true(values(dir, case[1]) == values(out, case[1]), case[1])
    end
    assert.equal("config.json model.safetensors\n", support.python(
      "import sys, zipfile\nprint(*zipfile.ZipFile(sys.argv[1]).namelist())", out))
  end)

  it("has its bytes in memory one piece at a time", function()
    local out = support.folder()
    local dir = small_model.hollow(60000, 2000)
    local status, _, peak = support.cost(out, { "pack", dir, "--layout", "dense", "--dtype", "f16",
      "--out", out .. "/a.zip" })
    os.remove(out .. "/a.zip")
    assert.equal(0, status)
    assert.is_true(support.sanitized or peak < 150e6, peak)
  end)

  it("wants names that say what they hold", function()
    for layout, name in pairs { dense = "a.tar", gguf = "a.zip" } do
      local done, message, code = export[layout] { dir = "x", out = name, dtype = "bf16" }
      assert.is_nil(done)
      assert.equal("usage", code)
      assert.truthy(message:find("ends in ", 1, true))
    end
  end)
end)
