-- Llama: Qwen3 without norms of heads. GGUF files keep the rows of queries and keys in an order in
-- which neighbours turn together.
local decoder = require "bittern.model.decoder"
local settings = require "bittern.model.settings"

local rules = {
  defaults = {
    head_dim = function(c)
      local hidden, heads = c.hidden_size, c.num_attention_heads
      local whole = math.type(hidden) == "integer" and math.type(heads) == "integer" and heads > 0
      return whole and hidden // heads or nil
    end,
    num_key_value_heads = function(c) return c.num_attention_heads end,
    rms_norm_eps = 1e-6, tie_word_embeddings = false,
  },
  fixed = { hidden_act = "silu" },
}

return function(config, where, gguf)
  local c, message, code = settings.read(config, where, rules)
  if not c then return nil, message, code end
  local rotary, why, id = settings.rotary(c.head_dim, c, where)
  if not rotary then return nil, why, id end
  rotary.neighbours = gguf or nil
  local bias = config.attention_bias == true
  return decoder.describe(c, rotary, function(at)
    return { attention = decoder.attention(at .. "self_attn.", c, { bias = bias }) }
  end, { mlp_bias = config.mlp_bias == true })
end
