---@meta core.sandbox
-- Generated from core/sandbox.c by docs/generate.lua (`make docs`); edit there.

--- a child process without powers, and the messages to and from it. What it says is a stranger's word: bytes, of a length that is bounded. lua/sandbox.lua knows what they mean.
---@class core.sandbox
local M = {}

---@class core.sandbox.box
local box = {}

---@return core.sandbox.box? # box | nil, message, code. Its first message is the state of its layers: lines of a name and an errno, which is 0 for a layer that holds. The first text that it is sent is the Lua that it runs, with receive and send as arguments.
---@return string? message
---@return string? code
function M.start() end

---@return integer # integer: what the kernel has, 0 without Landlock.
function M.landlock_version() end

---@param text core.bytes bytes
---@param seconds number
---@return boolean? # true | nil, message, code: "timeout", "closed_pipe", "interrupted".
---@return string? message
---@return string? code
function box:send(text, seconds) end

---@param seconds number
---@return core.bytes? # bytes | nil, message, code: "timeout", "closed_pipe", "too_large", "interrupted".
---@return string? message
---@return string? code
function box:receive(seconds) end

---@return integer? # integer, or nil once it has ended.
function box:pid() end

--- Ends the child at once. The end of a scope (`<close>`) does the same.
function box:close() end

return M
