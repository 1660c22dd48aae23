---@meta bittern.claim
-- Generated from lua/claim.lua by docs/generate.lua (`make docs`); edit there.

--- Claims of a task: taken exactly once, and given back.
---@class bittern.claim
local M = {}

--- Active claims of ours that carry no submission yet.
---@param ctx table {client=, ledger=, hotkey=}
---@param task_id string a task's id
---@return table? # array of claim records, or nil, message, code.
---@return string? message
---@return string? code
function M.free(ctx, task_id) end

--- Our active claim of a task, as the coordinator knows it.
---@param ctx table {client=, ledger=, task=, hotkey=}
---@param wanted? any id that is preferred when there are several, or nil
---@return any? # claim record, false when there is none, or nil, message, code.
---@return string? message
---@return string? code
function M.find(ctx, wanted) end

--- Whether a claim carries no submission: what was sent for it is settled first.
---@param ctx table as once.send
---@param claim_id string a claim's id
---@return boolean? # true; or nil, message, "claim_used" when it carries one, another code while that is not known.
---@return string? message
---@return string? code
function M.is_free(ctx, claim_id) end

--- Our claim of a task: the active one there is, else a new one. One whose submission has no answer yet is looked at first, and not used again when it arrived.
---@param ctx table as once.send, with task=
---@param options? table {description=, base_submission_id= or nil, wanted= id known from before or nil}
---@return any? # claim record and "taken", "reused" or "found after ...", or nil, message, code.
---@return string? message
---@return string? code
function M.take(ctx, options) end

--- A claim that the coordinator shows, written down when an earlier POST left its outcome open.
---@param ctx table context of a command or of a workflow's step
---@param claim any its record
---@param kind any of that POST: "claim", which nil means, or "cancel"
---@return any? # the claim, or nil, message, code.
---@return string? message
---@return string? code
function M.noted(ctx, claim, kind) end

--- What became of a claim that was asked for, used up or cancelled since or not; as once.settle.
---@param ctx table context of a command or of a workflow's step
---@param row table a row of the ledger
function M.settle(ctx, row) end

--- What became of a cancellation; as once.settle.
---@param ctx table context of a command or of a workflow's step
---@param row table a row of the ledger
function M.settle_cancel(ctx, row) end

--- Gives a claim back.
---@param ctx table as once.send
---@param claim_id string of a claim of ours
---@param task_id? string of its task, or nil
---@return any? # claim record and how it is known, or nil, message, code.
---@return string? message
---@return string? code
function M.cancel(ctx, claim_id, task_id) end

--- Gives the claim of an abandoned run back. That this fails ends nothing: it is told.
---@param ctx table as once.send
---@param claim_id? string or nil
---@param task_id string a task's id
---@return any? # claim record, or nil.
function M.abandon(ctx, claim_id, task_id) end

return M
