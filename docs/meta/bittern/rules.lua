---@meta bittern.rules
-- Generated from lua/rules.lua by docs/generate.lua (`make docs`); edit there.

--- Every requirement on a submission to one task, each with where it comes from. Precedence: the
--- task JSON, then the onboarding text, then the mode, then the built-in profile; what a lower
--- source says against a higher one stays visible as a conflict.
---@class bittern.rules
local M = {}

--- All rules of a task.
---@param parts? table {task=, onboarding= parsed or nil, mode= script or nil when it is not known, profile= or nil}
---@return table? # array of {id, about, source, value, also = sources that agree, conflicts = what other sources say against it, kind = "optional" for what only informs, early = true for what can be judged before there is a submission, check(submission, task, world) -> true | "skip", why | nil, reason}.
function M.merge(parts) end

--- Whether a task scores an artifact, and who says so.
---@param task table normalized
---@param onboarding? any parsed, or nil
---@param profile? any or nil
---@return boolean # boolean, source.
function M.artifact_first(task, onboarding, profile) end

--- Everything that is known about a task: parsed onboarding, mode, profile and the merged rules.
---@param task table normalized
---@param text? string its onboarding text, or nil
---@return table? # {task = with what the onboarding fills in, filled = {field = line}, onboarding, mode, profile, rules}, or nil, message, code for a mode with a fault.
---@return string? message
---@return string? code
function M.of_task(task, text) end

return M
