-- The forward pass on weights as they are stored: packed, in blocks, in halves; exactly, and with
-- activations in eight bits.
local buffer = require "core.buffer"
local forward = require "core.forward"
local fs = require "core.fs"
local quant = require "core.quant"

local architecture = require "bittern.model.architecture"
local load = require "bittern.eval.load"
local model = require "bittern.model"
local packed = require "bittern.artifact.packed"
local packed_model = require "tests.packed_model"
local small_model = require "tests.small_model"
local support = require "tests.support"

local NAME <const> = "model.layers.0.mlp.up_proj.weight"

-- One layer; the up projection is [rows, cols].
local function description_of(rows, cols)
  return assert(architecture.describe({
    model_type = "qwen3", hidden_size = cols, intermediate_size = rows, num_hidden_layers = 1,
    num_attention_heads = 2, num_key_value_heads = 1, head_dim = 4, vocab_size = 40,
    tie_word_embeddings = true,
  }, "c"))
end

local function add_linear(weights, linear)
  weights[linear.weight] = weights[linear.weight]
    or small_model.numbers(linear.inputs * linear.outputs, linear.inputs + linear.outputs)
end

-- Random weights of everything that a description names.
local function random_weights(description)
  local weights = {}
  local function add(part)
    if part.inputs then return add_linear(weights, part) end
    for key, value in pairs(part) do
      if key ~= "rotary" and type(value) == "table" then add(value) end
    end
  end
  add(description)
  local hidden = description.hidden
  for _, name in ipairs { "model.norm", "model.layers.0.input_layernorm",
    "model.layers.0.post_attention_layernorm" } do
    weights[name .. ".weight"] = small_model.numbers(hidden, 5)
  end
  for _, name in ipairs { "q_norm", "k_norm" } do
    weights[("model.layers.0.self_attn.%s.weight"):format(name)] = small_model.numbers(4, 6)
  end
  return weights
end

local FEW <const> = "\1\5\7\39\20\0\9\11\3"
local tokens = buffer.from_bytes(FEW, 0)
local many = buffer.from_bytes(FEW:rep(5), 0) -- more than a band

local function logits(description, weights, options, threads, of)
  return assert(assert(forward.new(description, weights, options)):logits(of or tokens, threads))
end

-- The largest difference, as a part of the largest magnitude.
local function difference(a, b)
  local worst, largest = 0, 0
  for i = 0, #a - 1 do
    worst = math.max(worst, math.abs(a:get(i) - b:get(i)))
    largest = math.max(largest, math.abs(a:get(i)))
  end
  return worst / largest
end

-- Scores with a matrix as it is stored, and with its decoded numbers.
local function compare(what, weight, values, rows, cols)
  local description = description_of(rows, cols)
  local weights = random_weights(description)
  weights[NAME] = values
  local dense = logits(description, weights)
  weights[NAME] = weight
  local exact = logits(description, weights)
  assert.is_true(dense:text() == exact:text(), what .. " differs from its decoded form")
  assert.is_true(exact:text() == logits(description, weights, nil, 3):text(), what .. ": threads")
  local fast = logits(description, weights, { exact = false })
  local off = difference(dense, fast)
  assert.is_true(off < 0.15, ("%s in eight bits is off by %g"):format(what, off))
  assert.is_true(fast:text() == logits(description, weights, { exact = false }, 3):text(),
    what .. " in eight bits: threads")
  local together = logits(description, weights, { exact = false }, 2, many)
  assert.is_true(fast:text() == together:view(0, #fast):text(), what .. ": one by one, in bands")
  return off > 0
end

describe("core.forward on packed matrices", function()
  it("gives the bits of the decoded matrix for every codec and feature", function()
    local eights = 0
    for _, entry in ipairs(packed_model.everything()) do
      local m, rows = entry[2], entry[3]
      if m.shape[2] == 129 or m.shape[2] == 300 then
        local dir = packed_model.write { { NAME, m, rows } }
        local opened <close> = assert(model.open(dir))
        local found = assert(packed.describe(opened)).matrices[NAME]
        local values = assert(packed.matrix(opened, NAME, found))
        local what = ("%s group %d, %d columns, %d bases, %d rescued"):format(m.codec, m.group,
          m.shape[2], m.bases or 1, m.rescued)
        local used = compare(what, load.matrix(opened, NAME, found), values, table.unpack(m.shape))
        if used then eights = eights + 1 end
      end
    end
    assert.is_true(eights > 80, eights .. " cases used eight bits")
  end)

  it("gives the bits of decoded blocks and halves", function()
    local values = small_model.numbers(5 * 512, 3)
    for _, codec in ipairs { "q8_0", "q4_0", "q1_0", "q2_0", "tq1_0", "tq2_0" } do
      local blocks = assert(quant.encode_blocks(codec, values, 512))
      local decoded = assert(quant.decode_blocks(codec, blocks, #values))
      compare(codec, { codec = codec, rows = 5, cols = 512, codes = blocks }, decoded, 5, 512)
    end
    for _, codec in ipairs { "f16", "bf16" } do
      local halves = quant.narrow(codec, values)
      compare(codec, { codec = codec, rows = 5, cols = 512, codes = halves },
        quant.widen(codec, halves), 5, 512)
    end
  end)

  it("has a packed embedding, which is the head too", function()
    local description = description_of(7, 300)
    local weights, name = random_weights(description), "model.embed_tokens.weight"
    local dir = packed_model.write { { name, { codec = "t2", group = 0, shape = { 40, 300 },
      rescued = 3 }, { 1, 20, 39 } } }
    local opened <close> = assert(model.open(dir))
    local found = assert(packed.describe(opened)).matrices[name]
    weights[name] = assert(packed.matrix(opened, name, found))
    local dense = logits(description, weights)
    weights[name] = load.matrix(opened, name, found)
    assert.is_true(dense:text() == logits(description, weights, nil, 2):text())
    assert.is_true(difference(dense, logits(description, weights, { exact = false })) < 0.05)
  end)

  it("gives the same bits in eight bits on every instruction set", function()
    local script = support.folder() .. "/digest.lua"
    assert(fs.write(script, ([[
local buffer, forward = require "core.buffer", require "core.forward"
local quant = require "core.quant"
local load, model = require "bittern.eval.load", require "bittern.model"
local opened <close> = assert(model.open(%q))
local read = assert(load.read(opened))
local options = { group = 128 }
for name, weight in pairs(read.weights) do
  if type(weight) == "table" then
    local values = assert(opened:floats(name))
    local codec = name:find("up_proj") and "q4" or name:find("down") and "b1" or "t2"
    if codec == "q4" then options = nil else options = { group = 128 } end
    local rows, cols = weight.rows, weight.cols
    local p = assert(quant.encode(codec, values, rows, cols, options))
    read.weights[name] = { codec = codec, rows = rows, cols = cols,
      group = options and 128 or 0, codes = p.codes, scales = p.scales }
  end
end
local runnable = assert(load.start(read))
for _, text in ipairs { "some text", ("some text"):rep(6) } do
  local logits = assert(runnable:logits(buffer.from_bytes(text, 1)))
  require "bittern.report".out(require "core.sha256".hex(logits:text()))
end
]]):format(support.model)))
    local digests = {}
    for _, isa in ipairs((select(2, quant.isa()))) do
      local done = support.bittern(support.folder(), { "run", script },
        { env = { BITTERN_ISA = isa } })
      assert.equal("", done.stderr)
      digests[#digests + 1] = done.stdout
    end
    for _, digest in ipairs(digests) do assert.equal(digests[1], digest) end
  end)

  it("refuses shapes that the config does not have, and files that are closed", function()
    local description = description_of(5, 128)
    local weights = random_weights(description)
    local codes = ("\0"):rep(2 * 5 * 128)
    weights[NAME] = { codec = "bf16", rows = 128, cols = 5, codes = codes }
    local made, message, code = forward.new(description, weights)
    assert.is_nil(made)
    assert.equal(("tensor '%s' is [128, 5], the config needs [5, 128]"):format(NAME), message)
    assert.equal("invalid_model", code)
    weights[NAME] = { codec = "bf16", rows = 5, cols = 128, codes = codes .. "\0" }
    made, message = forward.new(description, weights)
    assert.is_nil(made)
    assert.matches("up_proj.weight': 1281 bytes of codes, not 5 x 256", message)
    weights[NAME] = { codec = "q8_0", rows = 5, cols = 100, codes = codes }
    made, message = forward.new(description, weights)
    assert.is_nil(made)
    assert.matches("not whole blocks of q8_0", message)
    local opened = assert(model.open(support.model))
    local runnable = assert(load.start(assert(load.read(opened))))
    assert.equal(8, #assert(runnable:score(tokens)))
    opened:close()
    assert.error_matches(function() runnable:score(tokens) end, "file of its weights is closed")
  end)
end)
