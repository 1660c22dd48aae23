---@meta bittern.work
-- Generated from lua/work.lua by docs/generate.lua (`make docs`); edit there.

--- The local work behind the steps of `mine`: what it depends on, and what comes out of it.
---@class bittern.work
local M = {}

--- Where rules come from: "23 rules: 2 from mode, 21 from onboarding".
---@param list table array of rules
---@return string # string.
function M.sources(list) end

--- What a claim is described as, when the miner has no words of their own.
---@param args table a command's arguments, by name
function M.description(args) end

--- Every rule of a task whose mode is known here.
---@param task table record
---@param text? string its onboarding, or nil
---@return any? # as rules.of_task, or nil, message, code.
---@return string? message
---@return string? code
function M.rules(task, text) end

--- Name, size and time of a folder's files: enough to see that a model was exchanged, and quick for 54 GB.
---@param folder string path
---@return string? # text, or nil, message, code.
---@return string? message
---@return string? code
function M.fingerprint(folder) end

--- What is asked for, in a form that two runs can compare.
---@param args table of the command
---@return table? # table that JSON can hold, or nil, message, code.
---@return string? message
---@return string? code
function M.settings(args) end

--- What compressing depends on.
---@param ctx table context of a command or of a workflow's step
function M.compress_inputs(ctx) end

--- Compresses the model with the recipe into ctx.folder.
---@param ctx table context of a command or of a workflow's step
---@return table? # {out=, recipe=, about=, bytes=, parameters=, budget=, files=}, or nil, message, code.
---@return string? message
---@return string? code
function M.compress(ctx) end

--- What scoring depends on.
---@param ctx table context of a command or of a workflow's step
---@param state table what the steps before gave: {step's name = result}
function M.eval_inputs(ctx, state) end

--- Scores one model on the held-out text.
---@param ctx table context of a command or of a workflow's step
---@param path string model directory
---@param label string for the progress line
---@return any? # the numbers that a submission may claim, or nil, message, code.
---@return string? message
---@return string? code
function M.score(ctx, path, label) end

--- Notes the archive and its score in the ledger, as `compress` and `eval` would.
---@param ctx table context of a command or of a workflow's step
---@param state table what the steps before gave: {step's name = result}
---@param archive table {path=, size=, sha256=}
---@return boolean? # true, or nil, message, code.
---@return string? message
---@return string? code
function M.note(ctx, state, archive) end

--- What packing depends on.
---@param state table what the steps before gave: {step's name = result}
function M.pack_inputs(state) end

--- What publishing depends on.
---@param ctx table context of a command or of a workflow's step
---@param state table what the steps before gave: {step's name = result}
function M.publish_inputs(ctx, state) end

--- Tells why the gate says STOP.
---@param ctx table context of a command or of a workflow's step
---@param judged any what gate.judge gives
---@return any # one line for the failure's message.
function M.stop(ctx, judged) end

--- What the validators measured, in a few words.
---@param submission table a submission's record, or its fields before it is sent
function M.observed(submission) end

return M
