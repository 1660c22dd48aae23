---@meta core.limit
-- Generated from core/limit.c by docs/generate.lua (`make docs`); edit there.

--- calls of a stranger's function that end: within a time, within memory, or when the user says so. What it raises is caught; what stops it, it cannot catch.
---@class core.limit
local M = {}

---@param options table {seconds = 10, memory = bytes beyond those in use}
---@param call function function
---@return boolean # true, what the function returned | false, what it raised | false, message, "script_limit". What stops it, it cannot catch. One at a time.
function M.call(options, call, ...) end

---@param call function function
---@return boolean # true, what the function returned | false, what it raised | false, message, "interrupted": Ctrl-C ends the call and no more; the script that called goes on.
function M.interruptible(call, ...) end

return M
