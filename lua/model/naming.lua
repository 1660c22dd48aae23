-- Names and settings of Qwen3 and Llama models, as Hugging Face and as GGUF write them.
local json = require "bittern.json"

local M = {}

-- Modules of a layer and of the whole, Hugging Face -> GGUF.
local in_layer = {
  ["input_layernorm"] = "attn_norm", ["post_attention_layernorm"] = "ffn_norm",
  ["self_attn.q_proj"] = "attn_q", ["self_attn.k_proj"] = "attn_k",
  ["self_attn.v_proj"] = "attn_v", ["self_attn.o_proj"] = "attn_output",
  ["self_attn.q_norm"] = "attn_q_norm", ["self_attn.k_norm"] = "attn_k_norm",
  ["mlp.gate_proj"] = "ffn_gate", ["mlp.up_proj"] = "ffn_up", ["mlp.down_proj"] = "ffn_down",
}
local outside = {
  ["model.embed_tokens"] = "token_embd", ["model.norm"] = "output_norm", ["lm_head"] = "output",
}

local function inverse(map)
  local result = {}
  for key, value in pairs(map) do result[value] = key end
  return result
end

local in_block, at_top = inverse(in_layer), inverse(outside)

local function translate(name, whole, pattern, part, form)
  local module, suffix = name:match("^(.*)%.(%l+)$")
  if suffix ~= "weight" and suffix ~= "bias" then return nil end
  if whole[module] then return whole[module] .. "." .. suffix end
  local layer, inner = module:match(pattern)
  if layer and part[inner] then return form:format(layer, part[inner], suffix) end
  return nil
end

--- GGUF's name of a tensor of a Qwen3 or Llama model.
-- @return string, or nil when it has none
function M.to_gguf(name)
  return translate(name, outside, "^model%.layers%.(%d+)%.(.+)$", in_layer, "blk.%s.%s.%s")
end

--- Hugging Face's name of a tensor.
-- @return string, or nil when it has none
function M.to_huggingface(name)
  return translate(name, at_top, "^blk%.(%d+)%.(.+)$", in_block, "model.layers.%s.%s.%s")
end

local classes = { qwen3 = "Qwen3ForCausalLM", llama = "LlamaForCausalLM" }

-- GGUF key behind the architecture's name, its type, Hugging Face key.
local settings = {
  { "context_length", "u32", "max_position_embeddings" },
  { "embedding_length", "u32", "hidden_size" },
  { "block_count", "u32", "num_hidden_layers" },
  { "feed_forward_length", "u32", "intermediate_size" },
  { "attention.head_count", "u32", "num_attention_heads" },
  { "attention.head_count_kv", "u32", "num_key_value_heads" },
  { "attention.key_length", "u32", "head_dim" },
  { "attention.value_length", "u32", "head_dim" },
  { "attention.layer_norm_rms_epsilon", "f32", "rms_norm_eps" },
  { "rope.freq_base", "f32", "rope_theta" },
  { "vocab_size", "u32", "vocab_size" },
}

--- The shortest decimal number that is this f32: 1e-06, not 9.9999999747524271e-07.
function M.shortest(value)
  if value ~= value or value % 1 == 0 or math.abs(value) == math.huge then
    return math.tointeger(value) or value
  end
  for digits = 1, 9 do
    local short = tonumber(("%%.%dg"):format(digits):format(value))
    if string.unpack("<f", string.pack("<f", short)) == value then
      return math.tointeger(short) or short
    end
  end
  return value
end

local function is_number(value)
  return type(value) == "number"
end

-- The settings that a GGUF file's own keys give.
local function derive(metadata, architecture, has_output)
  local config = {
    model_type = architecture, architectures = json.array { classes[architecture] },
    hidden_act = "silu", tie_word_embeddings = not has_output,
  }
  for _, setting in ipairs(settings) do
    local value = metadata[architecture .. "." .. setting[1]]
    if is_number(value) then
      config[setting[3]] = setting[2] == "f32" and M.shortest(value) or value
    end
  end
  local words = metadata["tokenizer.ggml.tokens"]
  if not config.vocab_size and type(words) == "table" then config.vocab_size = words.count end
  config.num_key_value_heads = config.num_key_value_heads or config.num_attention_heads
  if not config.head_dim and is_number(config.hidden_size)
    and is_number(config.num_attention_heads) and config.num_attention_heads > 0 then
    config.head_dim = config.hidden_size // config.num_attention_heads
  end
  return config
end

--- What a GGUF file says in place of a config.json.
-- @param metadata {key = value} of the file
-- @param has_output whether it has an output matrix of its own
-- @return table as of a config.json; of architectures that are not known only their name
function M.config(metadata, has_output)
  local text = metadata["bittern.config"]
  local config = type(text) == "string" and json.decode(text) or nil
  if type(config) == "table" and config ~= json.null then return config end
  local architecture = metadata["general.architecture"]
  if not classes[architecture] then
    return type(architecture) == "string" and { model_type = architecture } or {}
  end
  return derive(metadata, architecture, has_output)
end

local function unsupported(where, format, ...)
  return nil, where .. ": " .. format:format(...), "unsupported"
end

-- Whether a config asks for positions that we do not write down.
local function has_plain_rope(config)
  local rope = config.rope_parameters or config.rope_scaling
  if rope == nil or rope == json.null then return true end
  return type(rope) == "table" and (rope.rope_type or rope.type or "default") == "default"
end

--- Metadata of a GGUF file for a model.
-- @param config table of a config.json
-- @param text of that config.json; kept in the file, so that it comes back whole
-- @param where string, what to call it in messages
-- @return array of {key, type, value}, or nil, message, "unsupported" or "invalid_model"
function M.metadata(config, text, where)
  local architecture = config.model_type
  if not classes[architecture] then
    return unsupported(where, "model_type '%s' has no GGUF form here; qwen3 and llama have",
      tostring(architecture))
  end
  if not has_plain_rope(config) then
    return unsupported(where, "its scaled rotary positions have no GGUF form here")
  end
  local rope = type(config.rope_parameters) == "table" and config.rope_parameters or {}
  local known = setmetatable({ rope_theta = config.rope_theta or rope.rope_theta or 10000,
    num_key_value_heads = config.num_key_value_heads or config.num_attention_heads },
    { __index = config })
  local entries = { { key = "general.architecture", type = "string", value = architecture } }
  for _, setting in ipairs(settings) do
    local key, kind, name = table.unpack(setting)
    local value = known[name]
    if value ~= nil then
      if not is_number(value) or kind == "u32" and (math.type(value) ~= "integer" or value < 0
        or value > 0xFFFFFFFF) then
        return nil, ("%s: %s is no number that GGUF holds"):format(where, name), "invalid_model"
      end
      entries[#entries + 1] = { key = architecture .. "." .. key, type = kind, value = value }
    end
  end
  entries[#entries + 1] = { key = "bittern.config", type = "string", value = text }
  return entries
end

local heads = { ["attn_q"] = "num_attention_heads", ["attn_k"] = "num_key_value_heads" }

--- Heads whose rows a Llama model's GGUF form keeps in another order: its rotary positions turn
-- neighbours, Hugging Face's turn halves.
-- @param config table of a config.json
-- @param name GGUF's name of a tensor
-- @return integer (0 when the config does not say), or nil when the rows stay as they are
function M.reordered_heads(config, name)
  if config.model_type ~= "llama" then return nil end
  local key = heads[name:match("^blk%.%d+%.(.+)%.%l+$") or ""]
  if not key then return nil end
  return config[key] or config.num_attention_heads or 0
end

--- The row of the source that a row of the result is.
-- @param row counted from 0
-- @param rows in all
-- @param count of heads
-- @param direction "gguf" or "huggingface", the result's form
function M.source_row(row, rows, count, direction)
  local size = rows // count
  local half, head, inside = size // 2, row // size, row % size
  if direction == "gguf" then return head * size + inside % 2 * half + inside // 2 end
  return head * size + inside % half * 2 + inside // half
end

return M
