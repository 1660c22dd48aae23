---@meta bittern.sidecar
-- Generated from lua/sidecar.lua by docs/generate.lua (`make docs`); edit there.

--- submission.json: what a submission says, beside the work it speaks of (contract.md 3.5).
---@class bittern.sidecar
local M = {}

--- A sidecar as the coordinator should get it: trimmed, hash in lower case, empty fields left out.
---@param raw table table as read
---@return table? # table, or nil, message.
---@return string? message
---@return string? code
function M.normalize(raw) end

--- Writes submission.json.
---@param folder any that gets it
---@param submission table table
---@return string? # path, or nil, message, code.
---@return string? message
---@return string? code
function M.write(folder, submission) end

--- What a sidecar's file holds, as it stands there.
---@param path string of the file
---@return table? # table, or nil, message, code ("sidecar" when it is no JSON object).
---@return string? message
---@return string? code
function M.raw(path) end

--- Reads a sidecar that a person, an agent or bittern wrote.
---@param path string of the file
---@return any? # submission as bittern.sidecar.normalize gives it, or nil, message, code.
---@return string? message
---@return string? code
function M.read(path) end

return M
