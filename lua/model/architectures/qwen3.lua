-- Qwen3, dense: attention whose queries and keys are normed head by head.
local decoder = require "bittern.model.decoder"
local settings = require "bittern.model.settings"

local rules = {
  defaults = { head_dim = 128, rms_norm_eps = 1e-6, tie_word_embeddings = false },
  fixed = { attention_bias = false, hidden_act = "silu", use_sliding_window = false },
}

local function check_layers(config, where)
  for _, kind in ipairs(type(config.layer_types) == "table" and config.layer_types or {}) do
    if kind ~= "full_attention" then
      return settings.unsupported(where, "layers of type '%s' are not supported", tostring(kind))
    end
  end
  return true
end

return function(config, where)
  local ok, message, code = check_layers(config, where)
  if not ok then return nil, message, code end
  local c, why, id = settings.read(config, where, rules)
  if not c then return nil, why, id end
  local rotary, reason, kind = settings.rotary(c.head_dim, c, where)
  if not rotary then return nil, reason, kind end
  return decoder.describe(c, rotary, function(at)
    return { attention = decoder.attention(at .. "self_attn.", c, { norms = true }) }
  end, {})
end
