---@meta bittern.canonical
-- Generated from lua/canonical.lua by docs/generate.lua (`make docs`); edit there.

--- Canonical JSON, both ways: the exact text that Python's json.dumps(sort_keys=True,
--- separators=(",", ":")) writes, which is what signatures cover (contract.md 2.2).
---@class bittern.canonical
local M = {}

--- JSON's null.
M.null = nil

--- Marks a table as an array, so that an empty one is `[]` and not `{}`.
---@param list table table of consecutive values
---@return any # the same table.
function M.array(list) end

--- Whether a table is written as an array.
---@param t table table
function M.is_array(t) end

--- The canonical text of a value.
---@param value string string, number, boolean, null, array or object; integers and floats stay apart
---@return string? # text, or nil, message, "invalid_json".
---@return string? message
---@return string? code
function M.encode(value) end

--- The value of a JSON text, exactly: integers and floats stay apart, null is bittern.canonical.null, arrays are marked, so that encoding gives the canonical form of what was read.
---@param text string string
---@return any? # value, or nil, message that begins with line:column, "invalid_json" or "too_large".
---@return string? message
---@return string? code
function M.decode(text) end

return M
