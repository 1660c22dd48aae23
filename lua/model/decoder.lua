-- Parts of descriptions that decoders of the Llama kind share, by Hugging Face's names.
local M = {}

--- A linear layer.
function M.linear(name, inputs, outputs, bias)
  return { weight = name .. ".weight", inputs = inputs, outputs = outputs,
    bias = bias and name .. ".bias" or nil }
end

--- A norm of root mean squares.
-- @param plus number that is added to each weight, or nil
function M.norm(name, eps, plus)
  return { weight = name .. ".weight", eps = eps, plus = plus }
end

--- Attention of a layer.
-- @param at string, its modules' prefix
-- @param c settings
-- @param options {norms = "each head has one for queries and keys", plus, gated, bias}
function M.attention(at, c, options)
  local q, kv = c.num_attention_heads * c.head_dim, c.num_key_value_heads * c.head_dim
  local hidden, eps = c.hidden_size, c.rms_norm_eps
  local function norm(name)
    return options.norms and M.norm(at .. name, eps, options.plus) or nil
  end
  return {
    heads = c.num_attention_heads, kv_heads = c.num_key_value_heads, head_dim = c.head_dim,
    gated = options.gated,
    query = M.linear(at .. "q_proj", hidden, options.gated and 2 * q or q, options.bias),
    key = M.linear(at .. "k_proj", hidden, kv, options.bias),
    value = M.linear(at .. "v_proj", hidden, kv, options.bias),
    output = M.linear(at .. "o_proj", q, hidden, options.bias),
    query_norm = norm "q_norm", key_norm = norm "k_norm",
  }
end

--- The gated layers behind attention.
function M.mlp(at, c, bias)
  return {
    gate = M.linear(at .. "gate_proj", c.hidden_size, c.intermediate_size, bias),
    up = M.linear(at .. "up_proj", c.hidden_size, c.intermediate_size, bias),
    down = M.linear(at .. "down_proj", c.intermediate_size, c.hidden_size, bias),
    activation = "silu_gated",
  }
end

--- A whole model.
-- @param c settings
-- @param rotary as settings.rotary gives it
-- @param mixer function(prefix of the layer, its number from 0) that returns {attention = ...} or
--   {delta = ...}
-- @param options {root = prefix of all, plus, mlp_bias}
function M.describe(c, rotary, mixer, options)
  local root, eps, plus = options.root or "model.", c.rms_norm_eps, options.plus
  local layers = {}
  for i = 0, c.num_hidden_layers - 1 do
    local at = ("%slayers.%d."):format(root, i)
    local layer = mixer(at, i)
    layer.before = M.norm(at .. "input_layernorm", eps, plus)
    layer.between = M.norm(at .. "post_attention_layernorm", eps, plus)
    layer.mlp = M.mlp(at .. "mlp.", c, options.mlp_bias)
    layers[i + 1] = layer
  end
  local head = c.tie_word_embeddings and root .. "embed_tokens" or "lm_head"
  return {
    hidden = c.hidden_size, vocab = c.vocab_size, embedding = root .. "embed_tokens.weight",
    rotary = rotary, layers = layers, norm = M.norm(root .. "norm", eps, plus),
    head = M.linear(head, c.hidden_size, c.vocab_size),
  }
end

return M
