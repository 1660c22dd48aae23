---@meta bittern.coordinator.tasks
-- Generated from lua/coordinator/tasks.lua by docs/generate.lua (`make docs`); edit there.

--- Calls about tasks; methods of bittern.coordinator's client.
---@class bittern.coordinator.tasks
local M = {}

---@class bittern.coordinator.tasks.client
local client = {}

--- Every task the coordinator lists, live or not. A broken record is left out with a warning.
---@return table? # array of tasks (bittern.task), or nil, message, code.
---@return string? message
---@return string? code
function client:tasks() end

--- One task, live or not.
---@param id string of the task
function client:task(id) end

--- The live task of a slug or id.
---@param slug string a task's slug or id
---@return any? # task, or nil, message that lists what is live, "not_live" or "ambiguous".
---@return string? message
---@return string? code
function client:find(slug) end

--- A task's onboarding text.
---@param task table a task's record
---@return any? # markdown, or nil, message, code.
---@return string? message
---@return string? code
function client:onboard(task) end

--- The best submission of a task as the server describes it; empty while there is none.
---@param task table a task's record
function client:best(task) end

return M
