---@meta core.sys
-- Generated from core/sys.c by docs/generate.lua (`make docs`); edit there.

--- clocks, terminal, randomness, processor and process facts.
---@class core.sys
local M = {}

---@return number # number: seconds since 1970-01-01 UTC.
function M.time() end

---@return number # number: seconds of a clock that never jumps.
function M.clock() end

---@param seconds number
---@return boolean? # true, or nil, message, "interrupted". Sleeps in slices, so that a signal that came just before the system call is seen soon.
---@return string? message
---@return string? code
function M.sleep(seconds) end

---@param n integer
---@return string # string of n bytes from the kernel, n in 1..256.
function M.random(n) end

---@param fd integer file descriptor
---@return boolean # boolean: whether the file descriptor is a terminal.
function M.isatty(fd) end

---@param fd integer file descriptor
---@return integer # integer: width of the terminal, 80 where there is none.
function M.columns(fd) end

---@return integer # integer: processors that are online.
function M.cores() end

---@return integer # integer: the process id.
function M.pid() end

---@return integer # integer: largest resident size of this process so far, in bytes.
function M.peak_memory() end

---@return boolean # boolean: whether the user asked to stop.
function M.interrupted() end

---@return integer # integer: the user id that files are opened with.
function M.uid() end

---@return string # string: absolute path of this program.
function M.exe() end

---@param call function function
---@return function? # function or nil: the one before. host.c calls it, once, when the user asked to stop and everything else has ended.
function M.on_interrupt(call) end

---@return string? # string or nil: the folder that the system's list of users has for this one.
function M.home() end

---@return table # array of the names of the environment's variables, in no order.
function M.variables() end

--- This process and its children get the variable, a string without zero bytes.
---@param name string
---@param value any
function M.set(name, value) end

--- This process and its children lose the variable, and its value is wiped, so that /proc/PID/environ does not show it either.
---@param name string
function M.unset(name) end

return M
