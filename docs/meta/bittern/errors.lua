---@meta bittern.errors
-- Generated from lua/errors.lua by docs/generate.lua (`make docs`); edit there.

--- Every error id: the exit code it gives and what the user can do next.
--- design.md section 4 lists the exit codes; an id that is not here exits with 1.
---@class bittern.errors
local M = {}

--- What the exit codes mean, in their order: array of {code, meaning}.
M.exits = nil

--- Exit code of an error id.
---@param code? string string or nil
---@return integer # integer 1..255.
function M.exit(code) end

--- What to do next, one line.
---@param code? string string or nil
---@return string? # string, or nil when there is nothing useful to say.
function M.next(code) end

--- All ids, sorted, for documents and tests.
function M.list() end

return M
