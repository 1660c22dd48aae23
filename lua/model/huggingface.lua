-- Hugging Face model directories: config.json and the index of sharded weights.
local check = require "bittern.check"
local json = require "bittern.json"

local M = {}

local function bad(where, format, ...)
  return nil, where .. ": " .. format:format(...), "invalid_model"
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
