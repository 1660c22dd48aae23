---@meta bittern.json
-- Generated from lua/json.lua by docs/generate.lua (`make docs`); edit there.

--- JSON that is not signed: lua-cjson reads it, bittern.canonical writes it (sorted, exact).
---@class bittern.json
local M = {}

--- JSON's null.
M.null = nil

--- Marks a table as an array, so that an empty one is `[]` and not `{}`.
---@param list table table of consecutive values
---@return any # the same table.
function M.array(list) end

--- The canonical text of a value.
---@param value string string, number, boolean, null, array or object; integers and floats stay apart
---@return string? # text, or nil, message, "invalid_json".
---@return string? message
---@return string? code
function M.encode(value) end

--- Reads JSON. Members that are null are left out; null as a whole, or in an array, is json.null. Whole floats become integers; bittern.canonical keeps them apart.
---@param text string string
---@param options table {coarse = true: for large files; numbers come as doubles, null as a value of its own, empty arrays as empty objects}
---@return any? # value, or nil, message, "invalid_json" or "too_large".
---@return string? message
---@return string? code
function M.decode(text, options) end

return M
