-- Which architectures we can run, and the description of a model that core.forward takes. Each is
-- a file in architectures/, called by the model_type it reads; nothing else names it.
--
--   {hidden, vocab, embedding = name [, positions = name, most_tokens],
--    rotary = {frequencies = f32 buffer [, neighbours = true]},
--    layers = {{before, between = norm, attention = {...} or delta = {...}, mlp = {...}}, ...},
--    norm = norm, head = linear}
--   linear     {weight = name [, bias = name], inputs, outputs [, transposed = true]
--              [, first, of = its first output in a weight that has `of`]}
--   norm       {weight = name [, bias = name] [, plus = 1], eps}; with a bias the mean is taken off
--   attention  {heads, kv_heads, head_dim, query, key, value, output = linear [, query_norm,
--              key_norm = norm] [, gated = true]}
--   delta      {key_heads, value_heads, key_dim, value_dim, width, qkv, z, a, b, output = linear,
--              convolution, decay, bias = name, norm}
--   mlp        {[gate,] up, down = linear, activation = "silu_gated"|"gelu_tanh"}
local lfs = require "lfs"

local paths = require "bittern.paths"
local settings = require "bittern.model.settings"

local M = {}

-- Names of the architectures, sorted.
local function names()
  local list = {}
  for file in lfs.dir(paths.root() .. "/lua/model/architectures") do
    list[#list + 1] = file:match("^([%w_]+)%.lua$")
  end
  table.sort(list)
  return list
end

-- The text part of a config that has others too.
local function text_part(config)
  local text = config.text_config
  if type(text) ~= "table" then return config end
  return setmetatable({ model_type = config.model_type }, { __index = text })
end

--- Describes a model.
-- @param config table of a config.json
-- @param where string, what to call the file in messages
-- @param gguf whether its weights lie in a GGUF file
-- @return description; or nil, message, "unsupported" for other architectures and settings that we
--   do not compute, "invalid_model" for wrong values
function M.describe(config, where, gguf)
  local kind, known = config.model_type, names()
  local name = type(kind) == "string" and kind:gsub("_text$", "") or nil
  for _, each in ipairs(known) do
    if each == name then
      return require("bittern.model.architectures." .. name)(text_part(config), where, gguf)
    end
  end
  return settings.unsupported(where, "model_type '%s' is not supported; these are: %s",
    tostring(kind), table.concat(known, ", "))
end

return M
