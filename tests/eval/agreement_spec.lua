-- How far scores agree: packed with dense, eight bits with f32, ours with numpy's.
local fs = require "core.fs"

local convert = require "bittern.convert"
local engine = require "bittern.compress.engine"
local json = require "bittern.json"
local made = require("tests.architectures").made
local pack = require "bittern.artifact.pack"
local score = require "bittern.eval.score"
local small_model = require "tests.small_model"
local support = require "tests.support"

local text = assert(fs.read(support.model .. "/heldout.txt")):sub(1, 2048)

local function nats(model, exact, words)
  return assert(score.score { model = model, text = words or text, max_tokens = 128,
    exact = exact }).heldout_cross_entropy_nats
end

-- The text that the byte tokenizer makes these tokens of.
local function text_of(tokens)
  local bytes = {}
  for i = 0, #tokens - 1 do bytes[i + 1] = string.char(tokens:get(i) - 1) end
  return table.concat(bytes)
end

-- Nats that logits give to each token but the first.
local function mean_cost(tokens, logits, vocab)
  local sum = 0.0
  for t = 0, #tokens - 2 do
    local total = 0.0
    for i = 0, vocab - 1 do total = total + math.exp(logits:get(t * vocab + i)) end
    sum = sum + math.log(total) - logits:get(t * vocab + tokens:get(t + 1))
  end
  return sum / (#tokens - 1)
end

describe("a score of", function()
  for recipe, budget in pairs { rowcol = "binary", residual = "ternary" } do
    it(("a packed artifact is that of its decoded form, and of f32 (%s)"):format(recipe), function()
      local folder = support.folder()
      local packed, dense = folder .. "/packed.zip", folder .. "/dense"
      assert(engine.run { model = support.model, recipe = recipe, budget = budget, out = packed })
      assert(convert.run { input = packed, out = dense, to = "f32" })
      local exact = nats(packed, true)
      assert.near(nats(dense, true), exact, 1e-5)
      local fast = nats(packed, false)
      assert.near(exact, fast, 1e-3)
      assert.not_equal(exact, fast)
    end)
  end

  it("a random GPT-2 of 257 tokens, as the ternary pack has one, is numpy's", function()
    local dir, tokens, logits = made "gpt2"
    local words = text_of(tokens)
    local expected = mean_cost(tokens, logits, 257)
    assert.near(expected, nats(dir, true, words), 1e-4)
    local zip = support.folder() .. "/artifact.zip"
    assert(pack.run { dir = dir, out = zip })
    assert.near(expected, nats(zip, false, words), 1e-4)
    assert.is_true(expected > 5 and expected < 8) -- it knows nothing: about ln 257
  end)

  it("a model saved without its head is the same", function()
    local dir, tokens, logits, tensors, config = made "gpt2"
    for _, tensor in ipairs(tensors) do tensor.name = tensor.name:gsub("^transformer%.", "") end
    small_model.write(tensors, { config = config, dir = dir })
    assert.near(mean_cost(tokens, logits, 257), nats(dir, true, text_of(tokens)), 1e-4)
  end)

  for kind, vocab in pairs { llama = 90, qwen3_5 = 70 } do
    it(kind .. " is numpy's", function()
      local dir, tokens, logits = made(kind)
      assert.near(mean_cost(tokens, logits, vocab), nats(dir, true, text_of(tokens)), 1e-4)
    end)
  end

  it("the shipped model is that of its reference", function()
    local expected = json.decode(assert(fs.read(support.model .. "/expected.json")))
    local all = assert(fs.read(support.model .. "/heldout.txt"))
    for _, exact in ipairs { true, false } do
      local found = assert(score.score { model = support.model, text = all, limit = 64,
        exact = exact })
      assert.near(expected.heldout_cross_entropy_nats, found.heldout_cross_entropy_nats,
        exact and 1e-5 or 1e-3)
    end
  end)
end)
