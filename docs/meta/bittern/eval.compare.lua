---@meta bittern.eval.compare
-- Generated from lua/eval/compare.lua by docs/generate.lua (`make docs`); edit there.

--- A model beside a reference, on the same tokens: what compression costs, where, and how far the
--- two disagree. One document at a time: its logits under both models are all that is held.
---@class bittern.eval.compare
local M = {}

---@class bittern.eval.compare.comparison
local comparison = {}

--- Begins a comparison.
---@param path string of the reference, or an open model
---@param vocab any tokens that the scored model knows
---@param options table {threads, exact} as bittern.eval.score takes them
---@return any? # comparison, or nil, message, code.
---@return string? message
---@return string? code
function M.new(path, vocab, options) end

--- Runs a document through both models and adds it.
---@param runnable any the scored model
---@param document any as bittern.eval.documents gives it
---@return core.buffer.buffer? # f32 buffer of what each token but the first costs the scored model, or nil, message, code.
---@return string? message
---@return string? code
function comparison:run(runnable, document) end

--- What was found.
---@param tokenizer any that made the tokens
---@return table # {model, heldout_cross_entropy_nats, heldout_ppl of the reference; lost_nats with lost_error_nats, divergence_nats with divergence_error_nats: means over targets with their standard errors; top1_agreement = share; worst = {{document, position, token, before, lost_nats, nats, reference_nats}}}.
function comparison:result(tokenizer) end

return M
