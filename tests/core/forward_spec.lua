local buffer = require "core.buffer"
local forward = require "core.forward"
local fs = require "core.fs"
local architecture = require "bittern.model.architecture"
local json = require "bittern.json"
local model = require "bittern.model"
local support = require "tests.support"

local expected = json.decode(assert(fs.read(support.model .. "/expected.json")))
local text = assert(fs.read(support.model .. "/heldout.txt"))

local function load_tiny()
  local opened <close> = assert(model.open(support.model))
  local weights = {}
  for _, name in ipairs(opened.names) do weights[name] = assert(opened:floats(name)) end
  return assert(architecture.describe(opened.config, "config.json")), weights
end

local tiny_config, tiny_weights = load_tiny()
local tiny = assert(forward.new(tiny_config, tiny_weights))

local function document(i)
  return buffer.from_bytes(text:sub(512 * i + 1, 512 * i + 512), 1)
end

local function copy(t)
  local out = {}
  for key, value in pairs(t) do out[key] = value end
  return out
end

describe("core.forward on the shipped model", function()
  it("gives the exact scores of the first document's tokens", function()
    local nll = assert(tiny:score(document(0)))
    assert.equal(511, #nll)
    for i, value in ipairs(expected.first_document_token_nll) do
      assert.near(value, nll:get(i - 1), 1e-3)
    end
    assert.near(expected.documents[1].nll_sum, nll:sum(), 1e-2)
  end)

  it("gives the exact logits of the first tokens", function()
    local logits = assert(tiny:logits(document(0):view(0, 16)))
    assert.equal(16 * 260, #logits)
    for t, row in ipairs(expected.first_16_tokens_logits) do
      for i, value in ipairs(row) do
        assert.near(value, logits:get((t - 1) * 260 + i - 1), 1e-3)
      end
    end
  end)

  it("gives the same bits whatever the threads and the company", function()
    local documents = { document(0):view(0, 100), document(1):view(0, 7), document(2):view(0, 64) }
    local alone = {}
    for i, tokens in ipairs(documents) do alone[i] = assert(tiny:score(tokens)):text() end
    for _, threads in ipairs { 1, 2, 3, 300 } do
      local together = assert(tiny:score_many(documents, threads))
      assert.equal(3, #together)
      for i = 1, 3 do assert.equal(alone[i], together[i]:text()) end
    end
  end)

  it("scores from its own logits", function()
    local tokens = document(3):view(0, 12)
    local nll, logits = assert(tiny:score(tokens)), assert(tiny:logits(tokens))
    for t = 0, 10 do
      local sum = 0
      for i = 0, 259 do sum = sum + math.exp(logits:get(260 * t + i)) end
      assert.near(math.log(sum) - logits:get(260 * t + tokens:get(t + 1)), nll:get(t), 1e-4)
    end
  end)

  it("scores nothing where nothing is predicted", function()
    assert.equal(0, #assert(tiny:score(buffer.new("i32", 0))))
    assert.equal(0, #assert(tiny:score(buffer.new("i32", 1))))
    assert.equal(0, #assert(tiny:logits(buffer.new("i32", 0))))
    assert.same({}, assert(tiny:score_many({}, 4)))
  end)
end)

describe("core.forward against numpy", function()
  -- Sizes that divide by nothing: more than one chunk, panel and block of queries in each product.
  local config = {
    hidden_size = 270, intermediate_size = 290, num_hidden_layers = 2, num_attention_heads = 6,
    num_key_value_heads = 2, head_dim = 10, vocab_size = 1100, rms_norm_eps = 1e-5,
    rope_theta = 1000, tie_word_embeddings = false, model_type = "qwen3",
  }

  local function shapes()
    local c = config
    local q, kv = c.num_attention_heads * c.head_dim, c.num_key_value_heads * c.head_dim
    local list = {
      { "model.embed_tokens.weight", c.vocab_size, c.hidden_size },
      { "model.norm.weight", 1, c.hidden_size }, { "lm_head.weight", c.vocab_size, c.hidden_size },
    }
    for layer = 0, c.num_hidden_layers - 1 do
      for _, entry in ipairs {
        { "input_layernorm", 1, c.hidden_size }, { "post_attention_layernorm", 1, c.hidden_size },
        { "self_attn.q_proj", q, c.hidden_size }, { "self_attn.k_proj", kv, c.hidden_size },
        { "self_attn.v_proj", kv, c.hidden_size }, { "self_attn.o_proj", c.hidden_size, q },
        { "self_attn.q_norm", 1, c.head_dim }, { "self_attn.k_norm", 1, c.head_dim },
        { "mlp.gate_proj", c.intermediate_size, c.hidden_size },
        { "mlp.up_proj", c.intermediate_size, c.hidden_size },
        { "mlp.down_proj", c.hidden_size, c.intermediate_size },
      } do
        local name = ("model.layers.%d.%s.weight"):format(layer, entry[1])
        list[#list + 1] = { name, entry[2], entry[3] }
      end
    end
    return list
  end

  local reference = [[
import json, sys, numpy as np
folder = sys.argv[1]
c = json.load(open(folder + "/config.json"))
rng = np.random.default_rng(7)
w = {}
for name, rows, cols in json.load(open(folder + "/shapes.json")):
    scale = 0.3 if rows == 1 else 1.5 / cols ** 0.5
    w[name] = (rng.standard_normal((rows, cols)) * scale + (rows == 1)).astype("<f4")
    w[name].tofile(folder + "/" + name)
tokens = rng.integers(0, c["vocab_size"], 101).astype("<i4")
tokens.tofile(folder + "/tokens")
w = {k: v.astype("f8") for k, v in w.items()}
d, kvh, heads = c["head_dim"], c["num_key_value_heads"], c["num_attention_heads"]
def norm(x, g):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + c["rms_norm_eps"]) * g
def rope(x):
    t = np.arange(x.shape[0])[:, None, None]
    a = t * c["rope_theta"] ** (-np.arange(0, d, 2) / d)
    x1, x2 = x[..., :d // 2], x[..., d // 2:]
    return np.concatenate([x1 * np.cos(a) - x2 * np.sin(a), x2 * np.cos(a) + x1 * np.sin(a)], -1)
x = w["model.embed_tokens.weight"][tokens]
n = len(tokens)
for i in range(c["num_hidden_layers"]):
    p = lambda s: w["model.layers.%d.%s.weight" % (i, s)]
    h = norm(x, p("input_layernorm"))
    q = rope(norm((h @ p("self_attn.q_proj").T).reshape(n, heads, d), p("self_attn.q_norm")))
    k = rope(norm((h @ p("self_attn.k_proj").T).reshape(n, kvh, d), p("self_attn.k_norm")))
    v = (h @ p("self_attn.v_proj").T).reshape(n, kvh, d)
    k, v = np.repeat(k, heads // kvh, 1), np.repeat(v, heads // kvh, 1)
    s = np.einsum("qhd,khd->hqk", q, k) / d ** 0.5
    s = np.where(np.tril(np.ones((n, n), bool)), s, -np.inf)
    s = np.exp(s - s.max(-1, keepdims=True))
    s /= s.sum(-1, keepdims=True)
    x = x + np.einsum("hqk,khd->qhd", s, v).reshape(n, -1) @ p("self_attn.o_proj").T
    h = norm(x, p("post_attention_layernorm"))
    g = h @ p("mlp.gate_proj").T
    x = x + (g / (1 + np.exp(-g)) * (h @ p("mlp.up_proj").T)) @ p("mlp.down_proj").T
logits = norm(x, w["model.norm.weight"]) @ w["lm_head.weight"].T
top = logits.max(-1)
target = logits[np.arange(n), np.append(tokens[1:], 0)]
nll = np.log(np.exp(logits - top[:, None]).sum(-1)) + top - target
logits.astype("<f4").tofile(folder + "/logits")
nll[:-1].astype("<f4").tofile(folder + "/nll")
]]

  local folder = support.folder()
  assert(fs.write(folder .. "/config.json", json.encode(config)))
  assert(fs.write(folder .. "/shapes.json", json.encode(shapes())))

  local function floats(name)
    return buffer.from("f32", assert(fs.read(folder .. "/" .. name)))
  end

  it("agrees for sizes that divide by nothing, grouped heads and a head of its own", function()
    support.python(reference, folder)
    local weights = {}
    for _, shape in ipairs(shapes()) do weights[shape[1]] = floats(shape[1]) end
    local odd = assert(forward.new(assert(architecture.describe(config, "c")), weights))
    local tokens = buffer.from("i32", assert(fs.read(folder .. "/tokens")))
    for _, pair in ipairs { { odd:logits(tokens), "logits" }, { odd:score(tokens), "nll" } } do
      local ours, theirs = pair[1], floats(pair[2])
      assert.equal(#theirs, #ours)
      local worst = 0
      for i = 0, #ours - 1 do worst = math.max(worst, math.abs(ours:get(i) - theirs:get(i))) end
      assert.is_true(worst < 2e-4, pair[2] .. " differ by " .. worst)
    end
  end)
end)

describe("core.forward refuses", function()
  local function with(name, value)
    local weights = copy(tiny_weights)
    weights[name] = value
    return forward.new(tiny_config, weights)
  end

  it("missing weights and wrong sizes, by name", function()
    local name = "model.layers.3.mlp.up_proj.weight"
    local made, message, code = with(name, nil)
    assert.is_nil(made)
    assert.equal("no tensor '" .. name .. "'", message)
    assert.equal("invalid_model", code)
    made, message = with(name, buffer.new("f32", 7))
    assert.is_nil(made)
    assert.equal(("tensor '%s' has 7 elements, the config needs 131072"):format(name), message)
    made, message = with(name, buffer.new("f16", 131072))
    assert.is_nil(made)
    assert.matches("is not an f32 buffer", message)
    made, message = with(name, "text")
    assert.is_nil(made)
    assert.matches("is not an f32 buffer", message)
  end)

  it("configs that make no sense", function()
    local function refuses(changes, says)
      local config = copy(tiny_config)
      for key, value in pairs(changes) do config[key] = value end
      assert.error_matches(function() forward.new(config, tiny_weights) end, says)
    end
    refuses({ hidden = 0 }, "'hidden' must lie in")
    refuses({ vocab = 1 << 40 }, "'vocab' must lie in")
    refuses({ vocab = 259 }, "head must have 259 outputs")
    refuses({ hidden = 6.5 }, "'hidden' must be an integer")
    refuses({ hidden = 128 }, "must have 128 inputs")
    local norm = copy(tiny_config.norm)
    norm.eps = 0 / 0
    refuses({ norm = norm }, "out of range")
    local config = copy(tiny_config)
    config.layers = nil
    assert.error_matches(function() forward.new(config, tiny_weights) end, "no layers")
  end)

  it("tokens outside of the vocabulary, naming document and position", function()
    local good = buffer.from_bytes("abc", 1)
    for _, token in ipairs { -1, 260, (1 << 31) - 1 } do
      local bad = buffer.from_bytes("abc", 1)
      bad:set(2, token)
      local list, message, code = tiny:score_many({ good, bad }, 2)
      assert.is_nil(list)
      assert.equal(("document 2, position 2: token %d is outside of the vocabulary of 260")
        :format(token), message)
      assert.equal("invalid_model", code)
      assert.is_nil((tiny:score(bad)))
      assert.is_nil((tiny:logits(bad)))
    end
  end)

  it("weights that are not finite, naming document and position", function()
    for _, value in ipairs { 0 / 0, 1 / 0 } do
      local embedding = buffer.from("f32", tiny_weights["model.embed_tokens.weight"])
      embedding:set(256 * 98 + 5, value)
      local weights = copy(tiny_weights)
      weights["model.embed_tokens.weight"] = embedding
      local config = copy(tiny_config)
      config.head = { weight = "lm_head.weight", inputs = 256, outputs = 260 }
      weights["lm_head.weight"] = tiny_weights["model.embed_tokens.weight"]
      local broken = assert(forward.new(config, weights))
      local fine, broke = buffer.from_bytes("xyz", 1), buffer.from_bytes("xyaz", 1)
      local list, message, code = broken:score_many({ fine, broke, broke }, 2, 10)
      assert.is_nil(list)
      assert.matches("^document 11, position 2: the embedding is not finite$", message)
      assert.equal("invalid_model", code)
      assert.is_nil((broken:logits(broke)))
      assert.equal(2, #assert(broken:score(fine)))
    end
  end)

  it("misuse", function()
    assert.error_matches(function() tiny:score(buffer.new("f32", 2)) end, "i32 buffer")
    assert.error_matches(function() tiny:score(buffer.new("i32", (1 << 20) + 1)) end, "2%^20")
    assert.error_matches(function() tiny:score_many({ "text" }, 1) end, "i32 buffer")
    assert.error_matches(function() tiny:score_many({}, 0) end, "at least 1")
    assert.error(function() tiny.score({}, buffer.new("i32", 2)) end)
  end)
end)

describe("core.forward", function()
  it("keeps the weights alive as long as the model lives", function()
    local lasting
    do
      local config, weights = load_tiny()
      lasting = assert(forward.new(config, weights))
      for name in pairs(weights) do weights[name] = nil end
    end
    collectgarbage()
    collectgarbage()
    local tokens = document(5):view(0, 40)
    assert.equal(tiny:score(tokens):text(), lasting:score(tokens):text())
    assert.equal("forward model (4 layers, hidden 256)", tostring(lasting))
  end)

  it("leaves a half-made model harmless", function()
    for _ = 1, 20 do assert.is_nil((forward.new(tiny_config, {}))) end
    collectgarbage()
    do
      local closed <close> = assert(forward.new(tiny_config, tiny_weights))
      assert.equal(1, #closed:score(buffer.from_bytes("ab", 1)))
    end
  end)
end)
