---@meta bittern.outline
-- Generated from lua/outline.lua by docs/generate.lua (`make docs`); edit there.

--- Records of the coordinator for people: one field a line, known fields first, nothing left out.
---@class bittern.outline
local M = {}

--- A record as lines.
---@param record table table
---@param order table array of names that come first
---@return table # array of lines.
function M.lines(record, order) end

return M
