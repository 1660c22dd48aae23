---@meta bittern.outline
-- Generated from lua/outline.lua by docs/generate.lua (`make docs`); edit there.

--- Records of the coordinator for people: one field a line, known fields first, nothing left out.
---@class bittern.outline
local M = {}

--- Text in lines of at most so many columns, at least one.
---@param text string string
---@param width any of a line, its indent included
---@param indent any of every line
---@return table # array of lines.
function M.wrap(text, width, indent) end

--- A record as lines.
---@param record table table
---@param order table array of names that come first
---@return table # array of lines.
function M.lines(record, order) end

return M
