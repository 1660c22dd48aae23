-- Hugging Face model directories: config.json, the index of sharded weights, and which
-- architectures we can run.
local check = require "bittern.check"
local json = require "bittern.json"

local M = {}

-- Bounds that no real model exceeds and that keep every product far from overflow.
local sizes = {
  hidden_size = 1 << 16, intermediate_size = 1 << 20, num_hidden_layers = 1 << 10,
  num_attention_heads = 1 << 10, num_key_value_heads = 1 << 10, head_dim = 1 << 10,
  vocab_size = 1 << 22,
}

-- What transformers assumes when a Qwen3 config is silent.
local defaults = {
  head_dim = 128, rms_norm_eps = 1e-6, rope_theta = 10000, tie_word_embeddings = false,
}

-- Settings that change the arithmetic and that we do not have, with the value that we do.
local fixed = {
  attention_bias = false, hidden_act = "silu", use_sliding_window = false,
}

local function bad(where, format, ...)
  return nil, where .. ": " .. format:format(...), "invalid_model"
end

local function unsupported(where, format, ...)
  return nil, where .. ": " .. format:format(...), "unsupported"
end

--- Reads a config.json.
-- @param text string
-- @param where string, what to call the file in messages
-- @return table, or nil, message, "invalid_model"
function M.config(text, where)
  local config, message = json.decode(text)
  if config == nil then return bad(where, "%s", message) end
  if type(config) ~= "table" or config == json.null then
    return bad(where, "must be a JSON object")
  end
  return config
end

local function check_fixed(config, where)
  for _, key in ipairs(check.sorted_keys(fixed)) do
    if config[key] ~= nil and config[key] ~= fixed[key] then
      return unsupported(where, "%s = %s is not supported", key, tostring(config[key]))
    end
  end
  for _, kind in ipairs(type(config.layer_types) == "table" and config.layer_types or {}) do
    if kind ~= "full_attention" then
      return unsupported(where, "layers of type '%s' are not supported", tostring(kind))
    end
  end
  return true
end

-- The base of the rotary angles, from the place of either generation of configs.
local function rope_theta(config, where)
  local rope = config.rope_parameters or config.rope_scaling or {}
  if type(rope) ~= "table" then return bad(where, "rope_scaling must be an object") end
  local kind = rope.rope_type or rope.type or "default"
  if kind ~= "default" then
    return unsupported(where, "rope of type '%s' is not supported", tostring(kind))
  end
  return rope.rope_theta or config.rope_theta or defaults.rope_theta
end

local function check_size(config, key, where)
  local value = config[key]
  if value == nil then return bad(where, "no %s", key) end
  if math.type(value) ~= "integer" or value < 1 or value > sizes[key] then
    return bad(where, "%s must be a whole number in 1..%d", key, sizes[key])
  end
  return true
end

local function check_numbers(c, where)
  for _, key in ipairs(check.sorted_keys(sizes)) do
    local ok, message, code = check_size(c, key, where)
    if not ok then return nil, message, code end
  end
  if c.num_attention_heads % c.num_key_value_heads ~= 0 then
    return bad(where, "num_key_value_heads must divide num_attention_heads")
  end
  if c.head_dim % 2 ~= 0 then return bad(where, "head_dim must be even") end
  local eps, theta = c.rms_norm_eps, c.rope_theta
  if type(eps) ~= "number" or not (eps > 0 and eps < 1) then
    return bad(where, "rms_norm_eps must lie between 0 and 1")
  end
  if type(theta) ~= "number" or not (theta >= 1 and theta < 1e15) then
    return bad(where, "rope_theta must lie in 1..1e15")
  end
  if type(c.tie_word_embeddings) ~= "boolean" then
    return bad(where, "tie_word_embeddings must be true or false")
  end
  return true
end

--- What core.forward needs to know of a model.
-- @param config table as M.config gives it
-- @param where string, what to call the file in messages
-- @return table of the sizes and settings, checked; or nil, message, "unsupported" for other
--   architectures, "invalid_model" for wrong values
function M.qwen3(config, where)
  if config.model_type ~= "qwen3" then
    return unsupported(where, "model_type '%s' is not supported; qwen3 is",
      tostring(config.model_type))
  end
  local ok, message, code = check_fixed(config, where)
  if not ok then return nil, message, code end
  local c = {}
  for key in pairs(sizes) do c[key] = config[key] end
  for key, value in pairs(defaults) do
    c[key] = value
    if config[key] ~= nil then c[key] = config[key] end
  end
  c.rope_theta, message, code = rope_theta(config, where)
  if not c.rope_theta then return nil, message, code end
  ok, message, code = check_numbers(c, where)
  if not ok then return nil, message, code end
  return c
end

--- Reads a model.safetensors.index.json.
-- @param text string
-- @param where string, what to call the file in messages
-- @return {tensor = shard file name}, sorted array of shard file names; or nil, message,
--   "invalid_model"
function M.shards(text, where)
  local index, message = json.decode(text)
  if index == nil then return bad(where, "%s", message) end
  local map = type(index) == "table" and index.weight_map
  if type(map) ~= "table" or next(map) == nil then return bad(where, "no weight_map") end
  local seen = {}
  for _, name in ipairs(check.sorted_keys(map)) do
    local shard = map[name]
    if type(shard) ~= "string" or not shard:find("^[%w_-][%w_.-]*%.safetensors$") then
      return bad(where, "tensor '%s': '%s' is no shard's name", tostring(name), tostring(shard))
    end
    seen[shard] = true
  end
  return map, check.sorted_keys(seen)
end

return M
