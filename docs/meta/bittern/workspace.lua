---@meta bittern.workspace
-- Generated from lua/workspace.lua by docs/generate.lua (`make docs`); edit there.

--- A checkout of a task's repository: cloned at the task's base ref, and asked whether validators
--- can fetch what it stands on (contract.md 3.2). The commit that a submission names is the
--- checkout's HEAD, so HEAD has to be a commit of the remote.
---@class bittern.workspace
local M = {}

--- Seconds that one git command may take for a task.
---@param task table a task's record
function M.timeout(task) end

--- Removes a checkout, or any folder, with all that is in it.
---@param path string string
function M.remove(path) end

--- Clones a repository and checks out a ref.
---@param options table {repository = https URL; ref = branch, tag or commit; folder = absolute, not there yet; timeout = seconds for each git command; rehearsal = true allows a local repository}
---@return table? # {folder =, commit =, ref =}, or nil, message, code.
---@return string? message
---@return string? code
function M.clone(options) end

--- The top of a checkout: the folder itself, or `repo` in it.
---@param folder any any path
---@return string? # absolute path, or nil, message, code.
---@return string? message
---@return string? code
function M.top(folder) end

--- What a checkout stands on.
---@param folder any inside or above the checkout
---@param task? table record or nil; its base_ref, when that is a commit, is on the remote
---@return table? # {folder =, commit = HEAD's, base = recorded at the clone or nil, ref =}, or nil, message, code: "unpublished_commit" when validators cannot fetch HEAD.
---@return string? message
---@return string? code
function M.inspect(folder, task) end

--- Where a ref of the remote stands now: a branch may have moved since the clone.
---@param options table
---@return any? # commit, or nil, message, code.
---@return string? message
---@return string? code
function M.remote_commit(options) end

--- Whether the branch that a checkout was made from stands elsewhere now: validators may take its new place.
---@param found any from bittern.workspace.inspect
---@param task table record
---@param options table {rehearsal =}
---@return any? # commit where it stands now; false when it did not move; nil, message when nobody knows.
---@return string? message
---@return string? code
function M.moved(found, task, options) end

return M
