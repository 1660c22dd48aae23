---@meta bittern.model.huggingface
-- Generated from lua/model/huggingface.lua by docs/generate.lua (`make docs`); edit there.

--- Hugging Face model directories: config.json and the index of sharded weights.
---@class bittern.model.huggingface
local M = {}

--- Reads a config.json.
---@param text string string
---@param where string string, what to call the file in messages
---@return table? # table, or nil, message, "invalid_model".
---@return string? message
---@return string? code
function M.config(text, where) end

--- Reads a model.safetensors.index.json.
---@param text string string
---@param where string string, what to call the file in messages
---@return table? # {tensor = shard file name}, sorted array of shard file names; or nil, message, "invalid_model".
---@return string? message
---@return string? code
function M.shards(text, where) end

return M
