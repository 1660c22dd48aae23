---@meta bittern.patch
-- Generated from lua/patch.lua by docs/generate.lua (`make docs`); edit there.

--- The patch of a checkout, as the newest client builds it (contract.md 3.3): only allowed paths,
--- against HEAD, checked before anybody sends it. The user's own index is left as it is.
---@class bittern.patch
local M = {}

--- What the pre-flight stops a patch with first.
---@param text string the patch
---@param spec any what bittern.patch.spec gives
---@return any? # finding of bittern.patch.preflight, or nil.
function M.stop(text, spec) end

--- What a submission's patch may be, of a task.
---@param task table a task's record
---@return any # spec for bittern.patch.build and bittern.patch.preflight.
function M.spec(task) end

--- Builds the patch of a checkout; what it finds wrong it says, and gives no patch.
---@param folder any top of the checkout (bittern.workspace)
---@param spec any as bittern.patch.spec
---@param options table {allow_empty = true for artifact-first tasks; unchecked = true gives also a patch that has an objection}
---@return table? # {text =, paths = in it, left_out = array of {path, why}, hidden = allowed files that git ignores, objection = why it cannot be sent}, or nil, message, code.
---@return string? message
---@return string? code
function M.build(folder, spec, options) end

return M
