-- Every architecture against logits that numpy computes from the published equations.
local buffer = require "core.buffer"

local load = require "bittern.eval.load"
local made = require("tests.architectures").made
local models = require "bittern.model"
local packed_model = require "tests.packed_model"
local small_model = require "tests.small_model"

local function runnable_of(dir)
  local model = assert(models.open(dir))
  return load.start(assert(load.read(model)), { exact = true })
end

-- Log of the sum of exponentials of a row, for nats rather than logits.
local function worst_nats(ours, theirs, vocab)
  local worst = 0
  local function log_sum(logits, row)
    local sum = 0
    for i = 0, vocab - 1 do sum = sum + math.exp(logits:get(row * vocab + i)) end
    return math.log(sum)
  end
  for row = 0, #ours // vocab - 1 do
    local a, b = log_sum(ours, row), log_sum(theirs, row)
    for i = row * vocab, row * vocab + vocab - 1 do
      worst = math.max(worst, math.abs(ours:get(i) - a - theirs:get(i) + b))
    end
  end
  return worst
end

describe("architectures", function()
  for _, case in ipairs { { "llama", 90 }, { "gpt2", 257 }, { "qwen3_5", 70 } } do
    local kind, vocab = table.unpack(case)
    it(kind .. " agrees with its equations, on any number of threads", function()
      local dir, tokens, expected = made(kind)
      local runnable = assert(runnable_of(dir))
      local logits = assert(runnable:logits(tokens))
      assert.equal(#expected, #logits)
      local worst = worst_nats(logits, expected, vocab)
      assert.is_true(worst < 1e-4, "off by " .. worst)
      assert.is_true(logits:text() == assert(runnable:logits(tokens, 3)):text())
    end)
  end

  it("qwen3_5's text part is found in a model that also sees", function()
    local dir, tokens, expected, tensors, config = made "qwen3_5"
    for _, t in ipairs(tensors) do t.name = t.name:gsub("^model%.", "model.language_model.") end
    dir = small_model.write(tensors, { dir = dir,
      config = { model_type = "qwen3_5", text_config = config } })
    local logits = assert(assert(runnable_of(dir)):logits(tokens))
    assert.is_true(worst_nats(logits, expected, 70) < 1e-4)
  end)

  it("no description is taken that lacks a part", function()
    local model <close> = assert(models.open((made "qwen3_5")))
    local read = assert(load.read(model))
    local function without(key, ...)
      local of = read.description
      for _, step in ipairs { ... } do of = of[step] end
      local kept = of[key]
      assert.is_not_nil(kept)
      of[key] = nil
      assert.error_matches(function() load.start(read) end, ("'%s' is missing"):format(key))
      of[key] = kept
    end
    without("norm")
    for _, norm in ipairs { "before", "between" } do without(norm, "layers", 2) end
    for _, part in ipairs { "norm", "convolution", "decay", "bias" } do
      without(part, "layers", 1, "delta")
    end
    local mlp = read.description.layers[1].mlp
    mlp.gate, mlp.down, mlp.activation = nil, nil, "gelu_tanh"
    without("up", "layers", 1, "mlp")
  end)

  it("qwen3_5 names layers and sizes that it cannot run", function()
    local function refused(changes)
      local model <close> = assert(models.open((made("qwen3_5", changes))))
      local read, message, code = load.read(model)
      assert.is_nil(read)
      return message, code
    end
    local message, code = refused { layer_types = { "linear_attention", "linear_attention",
      "sliding_attention", "full_attention" } }
    assert.matches("layers of type 'sliding_attention' are not supported", message)
    assert.equal("unsupported", code)
    assert.matches("layer_types must name 4 layers", (refused { layer_types = { "x" } }))
    assert.matches("linear_num_key_heads must divide", (refused { linear_num_key_heads = 4 }))
    assert.matches("partial_rotary_factor must leave", (refused { rope_parameters = {
      rope_type = "default", partial_rotary_factor = 0.1 } }))
  end)

  it("gpt2 has no more positions than it knows, and no other activation", function()
    local dir, tokens = made "gpt2"
    local runnable = assert(runnable_of(dir))
    local longer = buffer.from("i32", tokens:text() .. ("\0"):rep(4))
    local logits, message = runnable:logits(longer)
    assert.is_nil(logits)
    assert.equal("document 1 has 41 tokens, the model has positions for 40", message)
    local other <close> = assert(models.open((made("gpt2", { activation_function = "relu" }))))
    local read, why, code = load.read(other)
    assert.is_nil(read)
    assert.matches("activation_function = relu is not supported", why)
    assert.equal("unsupported", code)
  end)

  it("gpt2's transposed weights may be packed", function()
    local _, tokens, _, tensors, config = made "gpt2"
    local name, plain = "transformer.h.1.mlp.c_fc.weight", {}
    for _, t in ipairs(tensors) do
      if t.name ~= name then plain[#plain + 1] = t end
    end
    local m = { codec = "t2", group = 64, shape = { 60, 240 }, rescued = 2, columns = true }
    local dir = packed_model.write({ { name, m, { 3, 59 } } }, { plain = plain, config = config })
    local model <close> = assert(models.open(dir))
    local read = assert(load.read(model))
    local stored = assert(load.start(read)):logits(tokens)
    local packed = require "bittern.artifact.packed"
    read.weights[name] = assert(packed.matrix(model, name,
      assert(packed.describe(model)).matrices[name]))
    assert.is_true(assert(stored):text() == assert(load.start(read)):logits(tokens):text())
  end)

  it("names the layer and the position of numbers that are not finite", function()
    local dir, tokens, _, tensors, config = made "llama"
    for _, t in ipairs(tensors) do
      if t.name == "model.layers.1.mlp.down_proj.weight" then
        t.text = ("<f"):pack(0 / 0) .. t.text:sub(5)
      end
    end
    dir = small_model.write(tensors, { config = config, dir = dir })
    local list, message = assert(runnable_of(dir)):logits(tokens, 2)
    assert.is_nil(list)
    assert.equal("document 1, position 0: layer 1 gives numbers that are not finite", message)
  end)
end)
