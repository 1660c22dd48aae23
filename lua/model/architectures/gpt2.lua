-- GPT-2: learned positions, norms with a mean and a bias, one weight for queries, keys and values,
-- and weights that are stored [inputs, outputs].
local json = require "bittern.json"
local settings = require "bittern.model.settings"

-- The most that each size may be.
local sizes = { n_embd = 1 << 16, n_layer = 1 << 10, n_head = 1 << 10, n_positions = 1 << 20,
  vocab_size = 1 << 22 }

local MOST_HEAD <const>, MOST_INNER <const> = 1 << 10, 1 << 20

local fixed = { activation_function = "gelu_new", scale_attn_weights = true,
  scale_attn_by_inverse_layer_idx = false, reorder_and_upcast_attn = false,
  add_cross_attention = false }

local function check(config, where)
  for key, high in pairs(sizes) do
    local ok, message, code = settings.size(config, key, high, where)
    if not ok then return nil, message, code end
  end
  if config.n_embd % config.n_head ~= 0 then
    return settings.bad(where, "n_head must divide n_embd")
  end
  if config.n_embd // config.n_head > MOST_HEAD then
    return settings.bad(where, "n_embd is more than %d for each of n_head", MOST_HEAD)
  end
  if config.n_inner ~= nil and config.n_inner ~= json.null then
    local ok, message, code = settings.size(config, "n_inner", MOST_INNER, where)
    if not ok then return nil, message, code end
  end
  for key, value in pairs(fixed) do
    if config[key] ~= nil and config[key] ~= value then
      return settings.unsupported(where, "%s = %s is not supported", key, tostring(config[key]))
    end
  end
  if config.layer_norm_epsilon == nil then return true end
  return settings.fraction(config, "layer_norm_epsilon", where)
end

local function layer_of(at, config, norm)
  local hidden = config.n_embd
  local inner = math.type(config.n_inner) == "integer" and config.n_inner or 4 * hidden
  local function linear(name, inputs, outputs, of, first)
    return { weight = at .. name .. ".weight", bias = at .. name .. ".bias", transposed = true,
      inputs = inputs, outputs = outputs, of = of, first = first }
  end
  local function part(i)
    return linear("attn.c_attn", hidden, hidden, 3 * hidden, i * hidden)
  end
  return {
    before = norm(at .. "ln_1"), between = norm(at .. "ln_2"),
    attention = {
      heads = config.n_head, kv_heads = config.n_head, head_dim = hidden // config.n_head,
      query = part(0), key = part(1), value = part(2),
      output = linear("attn.c_proj", hidden, hidden),
    },
    mlp = { up = linear("mlp.c_fc", hidden, inner), down = linear("mlp.c_proj", inner, hidden),
      activation = "gelu_tanh" },
  }
end

return function(config, where)
  local ok, message, code = check(config, where)
  if not ok then return nil, message, code end
  local function norm(name)
    return { weight = name .. ".weight", bias = name .. ".bias",
      eps = config.layer_norm_epsilon or 1e-5 }
  end
  local root, layers = "transformer.", {}
  for i = 1, config.n_layer do
    layers[i] = layer_of(("%sh.%d."):format(root, i - 1), config, norm)
  end
  local tied = config.tie_word_embeddings ~= false
  return {
    hidden = config.n_embd, vocab = config.vocab_size, most_tokens = config.n_positions,
    embedding = root .. "wte.weight", positions = root .. "wpe.weight", layers = layers,
    norm = norm(root .. "ln_f"),
    head = { weight = tied and root .. "wte.weight" or "lm_head.weight", inputs = config.n_embd,
      outputs = config.vocab_size },
  }
end
