---@meta bittern.script
-- Generated from lua/script.lua by docs/generate.lua (`make docs`); edit there.

--- User-facing scripts: recipes, modes, publishers, workflows and commands, found and loaded.
---@class bittern.script
local M = {}

--- Loads one script file.
---@param path string string
---@param kind string "recipe"|"mode"|"publish"|"workflow"|"cmd"
---@param guard? function function(text) -> true, or nil, message, code when it shall not run; or nil
---@return any? # the script's table, or nil, message with file and line, "script" or "script_limit".
---@return string? message
---@return string? code
function M.load(path, kind, guard) end

--- What a script says of itself, read from its text where that is plain: a list of many scripts need not run them.
---@param path string string
---@param kind any see bittern.script.load.script
---@return table? # {about=, group= of commands}, or nil, message, code.
---@return string? message
---@return string? code
function M.glance(path, kind) end

--- Compiles a free script (for `bittern run`), which sees everything.
---@param path string string
---@return function? # function, or nil, message, code.
---@return string? message
---@return string? code
function M.chunk(path) end

--- Arguments of a script: its defaults, overridden by what the user set.
---@param script? any a loaded script; script.args is {name = {default, "what it is", {words} or nil}}
---@param set table {name = text or value}
---@return table? # {name = value}, or nil, message, "usage".
---@return string? message
---@return string? code
function M.arguments(script, set) end

--- What the command line's `--set` gave.
---@param list? table array of "NAME=VALUE", or nil
---@return table? # {name = text}, or nil, message, "usage".
---@return string? message
---@return string? code
function M.settings(list) end

--- The kinds of scripts.
---@return table # sorted array of names.
function M.kinds() end

--- What people call a kind of script: "publisher".
---@param kind any see bittern.script.kinds.of
---@return string # string.
function M.word(kind) end

--- The kind of a script, by the folder that it lies in.
---@param path string string
---@return any? # kind, or nil where that is no folder of scripts.
function M.kind_of(path) end

--- The folder that holds a script's recipes/, modes/ and so on: what `--root` names.
---@param path string absolute path of a script, or of a file beside one
---@return string # absolute path.
function M.root_of(path) end

--- The folder that the user's own scripts come from first: `--root`, or the configuration's.
---@return string # absolute path.
function M.own_folder() end

--- Every script of a kind, in search order.
---@param kind string "recipe"|"mode"|"publish"|"workflow"|"cmd"
---@return table # array of {name, path, from = "root"|"project"|"user"|"installed", shadowed = boolean, untrusted = boolean, sandboxed = boolean}.
function M.list(kind) end

--- The script of a name, or of a path when it contains a slash (modes: of a name only).
---@param kind string "recipe"|"mode"|"publish"|"workflow"|"cmd"
---@param name string string
---@return any? # the script's table and its path; or nil, message, code.
---@return string? message
---@return string? code
function M.find(kind, name) end

return M
