---@meta bittern.task
-- Generated from lua/task.lua by docs/generate.lua (`make docs`); edit there.

--- Task records: defaults filled, ids as text, which task a word means.
---@class bittern.task
local M = {}

--- A record's fields with nulls dropped and every id as text: servers send numbers, too.
---@param record table table
---@return any # a new table.
function M.plain(record) end

--- A task as the coordinator sent it, made safe to use: unknown fields are kept, missing ones get the contract's defaults, and `assumed` names those.
---@param record table decoded JSON
---@return any? # task, or nil, what is wrong, "invalid_response".
function M.normalize(record) end

--- Whether a task can be mined: it says so itself, in both of its fields.
---@param task table a task's record
function M.is_live(task) end

--- The state in a word for people: "live", or why not.
---@param task table a task's record
function M.state(task) end

--- Whether the coordinator itself named a field, rather than a default of ours.
---@param task table a task's record
---@param name string
function M.said(task, name) end

--- The task of an id, or of a slug (trimmed, case-insensitive).
---@param tasks table array of tasks
---@param word string string
---@return any? # task, or nil, message, "not_found" or "ambiguous".
---@return string? message
---@return string? code
function M.find(tasks, word) end

--- The tasks that can be mined.
---@param tasks table array of tasks' records
function M.live(tasks) end

--- The live task of an id or slug; what is not live is never replaced by something else.
---@param tasks table array of all tasks
---@param word string string
---@return any? # task, or nil, message that lists what is live, "not_live" or "ambiguous".
---@return string? message
---@return string? code
function M.find_live(tasks, word) end

return M
