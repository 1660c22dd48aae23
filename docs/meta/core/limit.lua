---@meta core.limit
-- Generated from core/limit.c by docs/generate.lua (`make docs`); edit there.

--- calls of a stranger's function that end: within a time, and within memory. What it raises is caught; what stops it, it cannot catch.
---@class core.limit
local M = {}

---@param options table {seconds = 10, memory = bytes beyond those in use}
---@param call function function
---@return boolean # true, what the function returned | false, what it raised | false, message, "script_limit". What stops it, it cannot catch. One at a time.
function M.call(options, call, ...) end

return M
