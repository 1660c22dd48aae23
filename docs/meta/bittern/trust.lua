---@meta bittern.trust
-- Generated from lua/trust.lua by docs/generate.lua (`make docs`); edit there.

--- Which scripts the user trusts with his power: those of the installed tree and of his own folder,
--- and any whose path and SHA-256 he agreed to. A script that is changed is another one.
---@class bittern.trust
local M = {}

--- What the user agreed to.
---@return table # array of {path=, current = whether the bytes are still those}, sorted.
function M.list() end

--- Whether a script lies in the installed tree or in the user's own folder.
---@param path string absolute
function M.is_own(path) end

--- Whether the user agreed to these bytes at this place.
---@param path string string
---@param text string of the file, when it is read already
function M.knows(path, text) end

--- Remembers that the user trusts these very bytes of a script.
---@param path string string
---@return boolean? # true, or nil, message, code.
---@return string? message
---@return string? code
function M.remember(path) end

--- That a script which holds the user's power is his own or trusted; asks once at a terminal.
---@param path string absolute
---@param word any what it is: "publisher"
---@return boolean? # true, or nil, message, code.
---@return string? message
---@return string? code
function M.require(path, word) end

return M
