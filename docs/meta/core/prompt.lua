---@meta core.prompt
-- Generated from core/prompt.c by docs/generate.lua (`make docs`); edit there.

--- lines typed at a terminal, by libedit: editing, history, completion. What completes is the script's business, and so is the history's file. The prompt is shown on stderr; stdout stays for data.
---@class core.prompt
local M = {}

---@class core.prompt.prompt
local prompt = {}

---@param complete function function
---@return core.prompt.prompt? # prompt | nil, message, code. Tab calls complete(text before the cursor), which gives what to insert there or nil, and what to show above the line or nil.
---@return string? message
---@return string? code
function M.open(complete) end

---@param text string
---@return string? # string: a line without its end; or false at the end, by Ctrl-D | nil, message, "interrupted" after Ctrl-C. `text` stands before it, at most 63 bytes.
---@return string? message
---@return string? code
function prompt:read(text) end

--- The arrow keys and Ctrl-R find it from now on.
---@param line string string
function prompt:add(line) end

--- Gives the terminal back as it was.
function prompt:close() end

return M
