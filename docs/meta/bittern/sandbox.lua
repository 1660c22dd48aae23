---@meta bittern.sandbox
-- Generated from lua/sandbox.lua by docs/generate.lua (`make docs`); edit there.

--- Scripts of strangers, in a child process that has no file, no network, no key and little time
--- (core.sandbox). The child runs lua/sandbox/child.lua; what it says is never believed, only
--- checked.
---@class bittern.sandbox
local M = {}

---@class bittern.sandbox.session
local session = {}

--- What holds in a sandbox on this machine.
---@return table? # array of {name=, error= errno, 0 when it holds}; nil, or why no stranger's script can run here; or nil, message, code.
---@return string? message
---@return string? code
function M.layers() end

--- Calls a function of the script with a ctx of its own.
---@param name string of the function
---@param functions table {name = function(options) -> token} of ctx
---@param data table {subject=, args=, bits=}: what it gets beside ctx, and what ctx holds
---@param limits table {seconds=, memory=}
---@return boolean? # true, what the function of ctx gave that it returned, or nil and the type of what it returned instead; or false, what it raised, code.
function session:call(name, functions, data, limits) end

--- Ends the child.
function session:close() end

--- Loads a script into a sandbox of its own.
---@param path string for messages: nothing is read there
---@param text string of the script
---@param limits table {seconds=, memory=}
---@return any? # what it returned, its functions as stand-ins: bittern.sandbox.session has the way to them; or nil, message, code.
---@return string? message
---@return string? code
function M.load(path, text, limits) end

--- The sandbox that a script lives in.
---@param script any what bittern.sandbox.load returned
---@return table? # {call=, lines = {function = {first, last}}, close=}, or nil when it is in none.
function M.session(script) end

return M
