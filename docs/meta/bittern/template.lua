---@meta bittern.template
-- Generated from lua/template.lua by docs/generate.lua (`make docs`); edit there.

--- Text with {names} in it, filled in strictly: a name that is not known is refused and never left
--- standing, and a brace that means itself is written twice, {{ or }}.
---@class bittern.template
local M = {}

--- Fills in a text.
---@param text string with {name}, {{ and }}
---@param values table {name = string or number}
---@return string? # string, or nil, message, "usage".
---@return string? message
---@return string? code
function M.fill(text, values) end

return M
