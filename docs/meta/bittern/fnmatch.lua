---@meta bittern.fnmatch
-- Generated from lua/fnmatch.lua by docs/generate.lua (`make docs`); edit there.

--- Globs as Python's fnmatch reads them (contract.md 3.3): * and ? match / too, case counts, [...]
--- is a set with Python's quirks, and the whole name must match. Names are compared by characters;
--- bytes that are no UTF-8 count as one character each, as Python's file names have them.
---@class bittern.fnmatch
local M = {}

--- A glob, made ready for many names.
---@param glob string string
---@return table # array for bittern.fnmatch.match.
function M.compile(glob) end

--- Whether a name matches a glob.
---@param name string string
---@param glob string string, or what bittern.fnmatch.compile made of one
function M.match(name, glob) end

--- Whether a name matches one of some globs.
---@param name string
---@param globs table array of strings
function M.any(name, globs) end

return M
