---@meta bittern.eval.score
-- Generated from lua/eval/score.lua by docs/generate.lua (`make docs`); edit there.

--- Perplexity of a model on a text: as validators measure it (contract.md 6.5), as llama.cpp does,
--- or in windows that overlap. Sums over all targets, then one division.
---@class bittern.eval.score
local M = {}

--- Scores a text with a model, packed or not.
---@param options table {model = path or open model, text = string, mode = "validator"|"llama"|"stride", documents = "tokens"|"lines"|"file" of mode validator, max_tokens = 512 of a document, chunk or window, stride = half of it, limit = most documents, seed = which ones (else the first), until_se = nats, stop once the standard error is no more, tokenizer = "auto"|"bytes"|path, reference = path or open model to compare with, threads = cores, exact = f32 throughout even for packed matrices, per_document = false, on_progress = function(done, total, mean, error) with targets, and nats so far}
---@return table? # {heldout_ppl, heldout_cross_entropy_nats, token_count, scored_docs, parameter_count, standard_error_nats and standard_error_ppl of two documents and more, mode, tokenizer, all_docs = without limit, documents = {{document, tokens, nats}} when asked, reference = what bittern.eval.compare found}, or nil, message, code.
---@return string? message
---@return string? code
function M.score(options) end

return M
