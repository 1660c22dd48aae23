---@meta core.number
-- Generated from core/number.c by docs/generate.lua (`make docs`); edit there.

--- doubles as the shortest text that reads back as the same double, written the way Python's repr writes it (contract.md 2.2).
---@class core.number
local M = {}

---@param number number
---@return string # string; NaN and infinities raise. An integer is written as the float it equals.
function M.text(number) end

return M
