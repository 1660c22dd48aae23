---@meta bittern.steps
-- Generated from lua/steps.lua by docs/generate.lua (`make docs`); edit there.

--- Steps that workflows share, and what they are made of. A workflow of one's own may use them.
---@class bittern.steps
local M = {}

--- What a step gave before stands once the submission may be out: the world it looked at is then part of the submission.
---@param run function function of a step
---@return function # function of a step.
function M.until_sent(run) end

--- What claims, submissions and their ledger rows need.
---@param ctx table context of a command or of a workflow's step
---@param state table what the steps before gave: {step's name = result}
function M.contest(ctx, state) end

--- Step: keeps the task's onboarding text in the run's folder.
---@param ctx table context of a command or of a workflow's step
---@param state table what the steps before gave: {step's name = result}
function M.onboard(ctx, state) end

--- Step: merges every rule of the task into ctx.demands, the user's decisions into ctx.decisions, and stops at what needs no submission.
---@param ctx table context of a command or of a workflow's step
---@param state table what the steps before gave: {step's name = result}
function M.rules(ctx, state) end

--- Earlier submissions of the task.
---@param ctx table context of a command or of a workflow's step
---@param state table what the steps before gave: {step's name = result}
---@return table? # array; false when the coordinator keeps its list closed; nil, message, code.
---@return string? message
---@return string? code
function M.earlier(ctx, state) end

--- Keeps the coordinator's whole answer, beside the sidecar.
---@param ctx table context of a command or of a workflow's step
---@param record table a record of the coordinator
---@return boolean? # true, or nil, message, code.
---@return string? message
---@return string? code
function M.keep_answer(ctx, record) end

--- Step: follows the submission, and decides the run with it.
---@param ctx table context of a command or of a workflow's step
---@param state table what the steps before gave: {step's name = result}
function M.follow(ctx, state) end

return M
