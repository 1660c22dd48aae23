---@meta core.process
-- Generated from core/process.c by docs/generate.lua (`make docs`); edit there.

--- child programs, never through a shell. Every child leads a process group of its own, so that it and all it started can be ended together, and is killed by the kernel when this process dies. What a child leaves behind in its group when it ends is ended with it. This file reads options and gives results; process_child.c does the work.
---@class core.process
local M = {}

---@class core.process.child
local child = {}

---@param options table {argv = array of strings, cwd = path, env = {NAME = value}, input = bytes, timeout = 0 s (none), max_output = 1 MiB}
---@return table? # {status or signal, stdout, stderr, timed_out, truncated, peak_memory in bytes} | nil, message, code. Without env the child has this process's.
---@return string? message
---@return string? code
function M.run(options) end

---@param options table {argv = array of strings, cwd = path, env = {NAME = value}, stdout = "null", stderr = "inherit"}
---@return core.process.child? # child | nil, message, code. A stream is "inherit", "null" or the path of a file that is appended to; stdout may be "pipe", for read_line.
---@return string? message
---@return string? code
function M.spawn(options) end

---@return integer? # integer, or nil once it has ended.
function child:pid() end

---@param seconds? number
---@return table? # {status or signal, peak_memory in bytes} | nil, message, code.
---@return string? message
---@return string? code
function child:wait(seconds) end

---@param signal? integer default 15
---@return boolean # boolean: whether there was somebody to receive it; the whole group does.
function child:kill(signal) end

---@param seconds? number
---@return string? # string: a line | nil, message, code: "timeout", "closed_pipe" at the end of the stream, "too_large".
---@return string? message
---@return string? code
function child:read_line(seconds) end

--- Ends the whole group if it still runs, and waits for it. The end of a scope (`<close>`) does the same.
function child:close() end

return M
