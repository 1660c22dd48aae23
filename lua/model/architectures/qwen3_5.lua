-- Qwen3.5 and 3.6, the text part: three layers of Gated DeltaNet, then one of gated attention.
-- Norms are kept around zero: a weight w multiplies by 1 + w.
local check = require "bittern.check"
local decoder = require "bittern.model.decoder"
local settings = require "bittern.model.settings"

local PLUS <const> = 1
local MOST_HEADS <const>, MOST_DIM <const>, MOST_WIDTH <const> = 1 << 10, 1 << 10, 64

local rules = {
  defaults = { head_dim = 256, rms_norm_eps = 1e-6, tie_word_embeddings = false },
  fixed = { attention_bias = false, hidden_act = "silu", attn_output_gate = true },
}

local linear_sizes = {
  linear_num_key_heads = MOST_HEADS, linear_num_value_heads = MOST_HEADS,
  linear_key_head_dim = MOST_DIM, linear_value_head_dim = MOST_DIM,
  linear_conv_kernel_dim = MOST_WIDTH,
}

local function check_sizes(config, where)
  for _, key in ipairs(check.sorted_keys(linear_sizes)) do
    local ok, message, code = settings.size(config, key, linear_sizes[key], where)
    if not ok then return nil, message, code end
  end
  if config.linear_num_value_heads % config.linear_num_key_heads ~= 0 then
    return settings.bad(where, "linear_num_key_heads must divide linear_num_value_heads")
  end
  return true
end

-- Whether each layer attends: as the config lists them.
local function layers_of(config, c, where)
  local kinds = config.layer_types
  if type(kinds) ~= "table" or #kinds ~= c.num_hidden_layers then
    return settings.bad(where, "layer_types must name %d layers", c.num_hidden_layers)
  end
  local attends = {}
  for i, kind in ipairs(kinds) do
    attends[i] = kind == "full_attention"
    if not attends[i] and kind ~= "linear_attention" then
      return settings.unsupported(where, "layers of type '%s' are not supported", tostring(kind))
    end
  end
  return attends
end

-- Dimensions of a head that turn by position.
local function turning(config, c, where)
  local rope = type(config.rope_parameters) == "table" and config.rope_parameters or {}
  local part = rope.partial_rotary_factor or config.partial_rotary_factor or 0.25
  local dims = type(part) == "number" and part > 0 and part <= 1 and c.head_dim * part // 1
  dims = dims and math.tointeger(dims)
  if dims and dims >= 2 and dims % 2 == 0 then return dims end
  return settings.bad(where, "partial_rotary_factor must leave an even number of dimensions")
end

local function delta(at, config, c)
  local keys = config.linear_num_key_heads * config.linear_key_head_dim
  local heads = config.linear_num_value_heads
  local values, hidden = heads * config.linear_value_head_dim, c.hidden_size
  return {
    key_heads = config.linear_num_key_heads, value_heads = heads,
    key_dim = config.linear_key_head_dim, value_dim = config.linear_value_head_dim,
    width = config.linear_conv_kernel_dim,
    qkv = decoder.linear(at .. "in_proj_qkv", hidden, 2 * keys + values),
    z = decoder.linear(at .. "in_proj_z", hidden, values),
    a = decoder.linear(at .. "in_proj_a", hidden, heads),
    b = decoder.linear(at .. "in_proj_b", hidden, heads),
    output = decoder.linear(at .. "out_proj", values, hidden),
    convolution = at .. "conv1d.weight", decay = at .. "A_log", bias = at .. "dt_bias",
    norm = decoder.norm(at .. "norm", c.rms_norm_eps),
  }
end

return function(config, where)
  local c, message, code = settings.read(config, where, rules)
  if not c then return nil, message, code end
  local ok
  ok, message, code = check_sizes(config, where)
  if not ok then return nil, message, code end
  local attends
  attends, message, code = layers_of(config, c, where)
  if not attends then return nil, message, code end
  local dims, why, id = turning(config, c, where)
  if not dims then return nil, why, id end
  local rotary, reason, kind = settings.rotary(dims, c, where)
  if not rotary then return nil, reason, kind end
  -- A config of text alone is that of a model without the part for pictures.
  local root = config.model_type == "qwen3_5_text" and "model." or "model.language_model."
  return decoder.describe(c, rotary, function(at, i)
    if not attends[i + 1] then return { delta = delta(at .. "linear_attn.", config, c) } end
    return { attention = decoder.attention(at .. "self_attn.", c,
      { norms = true, plus = PLUS, gated = true }) }
  end, { root = root, plus = PLUS })
end
