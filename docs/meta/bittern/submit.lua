---@meta bittern.submit
-- Generated from lua/submit.lua by docs/generate.lua (`make docs`); edit there.

--- Sending a submission exactly once (bittern.once), and what it consists of.
---@class bittern.submit
local M = {}

--- The body of POST /api/v1/submissions (contract.md 1.3.1): empty fields are left out.
---@param submission table a sidecar as bittern.sidecar gives it
---@param claim_id string string
---@param base_ref any 40 hexadecimal digits
---@return table # table.
function M.body(submission, claim_id, base_ref) end

--- The commit that an artifact-only submission names: what the user says, else the task's own, else where the task's branch stands.
---@param task table record
---@param given? any 40 hexadecimal digits or nil
---@param client table of the coordinator, which says where one may ask; nil asks nobody
---@return any? # 40 hexadecimal digits, or nil, message, code.
---@return string? message
---@return string? code
function M.base_ref(task, given, client) end

--- Judges a submission as it would be sent: its artifact is fetched as validators fetch it.
---@param ctx table {client=, hotkey=, task=}
---@param body table as bittern.submit.body
---@param rules any as bittern.rules gives them
---@param options table {draft = true: nothing will be sent, and a URL that gives nothing is one more finding; decided = contradictions that the user decided}
---@return any? # verdict of bittern.gate, or nil, message, code.
---@return string? message
---@return string? code
function M.judge(ctx, body, rules, options) end

--- What is known of a submission that was begun; asks the coordinator when its answer was lost.
---@param ctx table as once.send
---@param row table of the ledger
---@return any # as once.settle.
function M.settle(ctx, row) end

--- Sends a submission for a claim, unless it was sent before. A claim carries one: when that has other contents, this one is refused as "claim_used".
---@param ctx table as once.send, with task=
---@param body table as bittern.submit.body
---@return any? # submission record and how it is known, or nil, message, code.
---@return string? message
---@return string? code
function M.send(ctx, body) end

return M
