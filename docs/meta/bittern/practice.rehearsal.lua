---@meta bittern.practice.rehearsal
-- Generated from lua/practice/rehearsal.lua by docs/generate.lua (`make docs`); edit there.

--- A rehearsal of one task from end to end, for tests of modes: a practice coordinator with its
--- validator, a repository made of a folder of files, and miners with hotkeys of their own.
---@class bittern.practice.rehearsal
local M = {}

---@class bittern.practice.rehearsal.rehearsal
local rehearsal = {}

--- Starts a rehearsal; close it, or let it go out of scope.
---@param options table {root = folder with modes/ and so on, task = path of a task's JSON, repository = folder of the task's files}; without a task the coordinator has its own two
---@return table? # {client=, task= its record or nil, url=, commit=}, or nil, message, code.
---@return string? message
---@return string? code
function M.start(options) end

--- Ends it and removes all that it made.
function rehearsal:close() end

--- One more miner, with a hotkey of its own.
---@return any? # client of the coordinator, or nil, message, code.
---@return string? message
---@return string? code
function rehearsal:miner() end

--- Sends a submission, without a gate before it.
---@param options table {files = {path = new text}, fields = more of the body, client = another miner}
---@return any? # submission record, or nil, message, code.
---@return string? message
---@return string? code
function rehearsal:submit(options) end

--- Sends a submission and waits for its verdict.
---@param options table as Rehearsal:submit
---@return any? # submission record as it is then, what the validator noted; or nil, message, code.
---@return string? message
---@return string? code
function rehearsal:try(options) end

--- The best submission's id, or nil while there is none.
function rehearsal:best() end

return M
