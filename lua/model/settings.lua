-- The settings in a config.json that models of most architectures have, checked: sizes, the norm's
-- epsilon, rotary positions.
local buffer = require "core.buffer"

local check = require "bittern.check"
local json = require "bittern.json"

local M = {}

-- Bounds that no real model exceeds and that keep every product far from overflow.
local sizes = {
  hidden_size = 1 << 16, intermediate_size = 1 << 20, num_hidden_layers = 1 << 10,
  num_attention_heads = 1 << 10, num_key_value_heads = 1 << 10, head_dim = 1 << 10,
  vocab_size = 1 << 22,
}

function M.bad(where, format, ...)
  return nil, where .. ": " .. format:format(...), "invalid_model"
end

function M.unsupported(where, format, ...)
  return nil, where .. ": " .. format:format(...), "unsupported"
end

local bad, unsupported = M.bad, M.unsupported

local function check_fixed(config, where, fixed)
  for _, key in ipairs(check.sorted_keys(fixed)) do
    local value = config[key]
    if value ~= nil and value ~= json.null and value ~= fixed[key] then
      return unsupported(where, "%s = %s is not supported", key, tostring(value))
    end
  end
  return true
end

-- Kinds of rotary positions that M.rotary knows.
local known_ropes = { default = true, linear = true, llama3 = true }

-- The base of the rotary angles, from the place of either generation of configs, and the rest of
-- what they say.
local function read_rope(config, where)
  local rope = config.rope_parameters or config.rope_scaling
  if rope == nil or rope == json.null then rope = {} end
  if type(rope) ~= "table" then return bad(where, "rope_scaling must be an object") end
  local kind = rope.rope_type or rope.type or "default"
  if not known_ropes[kind] then
    return unsupported(where, "rope of type '%s' is not supported", tostring(kind))
  end
  return rope.rope_theta or config.rope_theta or 10000, rope
end

--- One size of a config.
-- @param high integer, the most it may be
-- @return true, or nil, message, "invalid_model"
function M.size(config, key, high, where)
  local value = config[key]
  if value == nil then return bad(where, "no %s", key) end
  if math.type(value) ~= "integer" or value < 1 or value > high then
    return bad(where, "%s must be a whole number in 1..%d", key, high)
  end
  return true
end

--- Whether a number of a config lies between 0 and 1.
-- @return true, or nil, message, "invalid_model"
function M.fraction(config, key, where)
  local value = config[key]
  if type(value) ~= "number" or not (value > 0 and value < 1) then
    return bad(where, "%s must lie between 0 and 1", key)
  end
  return true
end

local function check_numbers(c, where)
  for _, key in ipairs(check.sorted_keys(sizes)) do
    local ok, message, code = M.size(c, key, sizes[key], where)
    if not ok then return nil, message, code end
  end
  if c.num_attention_heads % c.num_key_value_heads ~= 0 then
    return bad(where, "num_key_value_heads must divide num_attention_heads")
  end
  if c.head_dim % 2 ~= 0 then return bad(where, "head_dim must be even") end
  local ok, message, code = M.fraction(c, "rms_norm_eps", where)
  if not ok then return nil, message, code end
  local theta = c.rope_theta
  if type(theta) ~= "number" or not (theta >= 1 and theta < 1e15) then
    return bad(where, "rope_theta must lie in 1..1e15")
  end
  if type(c.tie_word_embeddings) ~= "boolean" then
    return bad(where, "tie_word_embeddings must be true or false")
  end
  return true
end

-- What a silent config means: a value, or a function of the config.
local function fill(config, defaults)
  local c = {}
  for key in pairs(sizes) do c[key] = config[key] end
  for key, value in pairs(defaults) do
    c[key] = config[key]
    if c[key] == nil or c[key] == json.null then
      c[key] = type(value) == "function" and value(config) or value
    end
  end
  return c
end

--- The settings of a model of attention and gated layers.
-- @param config table of a config.json
-- @param where string, what to call the file in messages
-- @param rules {defaults = what a silent config means, fixed = settings that change the arithmetic,
--   with the only value that we compute}
-- @return table of the sizes and settings by Hugging Face's names, with `rope` = what the config
--   says of scaled positions; or nil, message, "unsupported" or "invalid_model"
function M.read(config, where, rules)
  local ok, message, code = check_fixed(config, where, rules.fixed)
  if not ok then return nil, message, code end
  local c = fill(config, rules.defaults)
  c.rope_theta, c.rope, code = read_rope(config, where)
  if not c.rope_theta then return nil, c.rope, code end
  ok, message, code = check_numbers(c, where)
  if not ok then return nil, message, code end
  return c
end

-- Slower frequencies for longer texts, as Llama 3.1 has them.
local function llama3(frequency, rope)
  local turns = rope.original_max_position_embeddings * frequency / (2 * math.pi)
  if turns > rope.high_freq_factor then return frequency end
  if turns < rope.low_freq_factor then return frequency / rope.factor end
  local part = (turns - rope.low_freq_factor) / (rope.high_freq_factor - rope.low_freq_factor)
  return (1 - part) * frequency / rope.factor + part * frequency
end

local needed = {
  linear = { "factor" },
  llama3 = { "factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings" },
}

--- How heads turn by position.
-- @param dims integer, even: dimensions of a head that turn
-- @param c settings as M.read gives them
-- @return {frequencies = f32 buffer}, or nil, message, "invalid_model"
function M.rotary(dims, c, where)
  local rope, frequencies = c.rope, buffer.new("f32", dims // 2)
  local kind = rope.rope_type or rope.type or "default"
  for _, key in ipairs(needed[kind] or {}) do
    if type(rope[key]) ~= "number" or rope[key] <= 0 then
      return bad(where, "rope_scaling: %s must be a number above 0", key)
    end
  end
  for i = 0, dims // 2 - 1 do
    local frequency = 1 / c.rope_theta ^ (2 * i / dims)
    if kind == "linear" then frequency = frequency / rope.factor end
    if kind == "llama3" then frequency = llama3(frequency, rope) end
    frequencies:set(i, frequency)
  end
  return { frequencies = frequencies }
end

return M
