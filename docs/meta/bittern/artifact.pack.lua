---@meta bittern.artifact.pack
-- Generated from lua/artifact/pack.lua by docs/generate.lua (`make docs`); edit there.

--- From a model directory to the archive that is published: what goes in, what stays out, what must
--- not be there.
---@class bittern.artifact.pack
local M = {}

--- Whether pack leaves a file or folder of this name out.
---@param name string
function M.is_skipped(name) end

--- The files of a directory that pack takes.
---@param dir string string
---@return table? # array of {name, path, size} sorted by name, or nil, message, code.
---@return string? message
---@return string? code
function M.list(dir) end

--- Packs a model directory.
---@param options? table {dir =, out = file to write, on_progress = function(done, total) or nil}
---@return table? # {path, size, sha256, files} of the exact bytes, or nil, message, code.
---@return string? message
---@return string? code
function M.run(options) end

return M
