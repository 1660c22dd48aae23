---@meta core.forward
-- Generated from core/forward.c by docs/generate.lua (`make docs`); edit there.

--- scores token sequences with a model whose layers a table describes. forward_model.c reads the table, forward_pass.c does the work.
---@class core.forward
local M = {}

---@class core.forward.model
local model = {}

---@param description table table
---@param weights table table
---@param options? table {exact = true}
---@return core.forward.model? # model | nil, message, "invalid_model". lua/model/architecture.lua says what a description is. `weights` has a weight for each name in it: an f32 buffer, or for a matrix {codec, rows, cols, codes = source [, scales, group, more, offsets, columns as core.quant.decode has them] [, rescue = {rows = i32 buffer, codes, scales}]}, whose bytes are read where they lie. Unless exact, products with packed matrices round activations to eight bits.
---@return string? message
---@return string? code
function M.new(description, weights, options) end

--- Divides what collect has added, and mirrors it at the diagonal.
---@param products core.buffer.buffer f32 buffer [inputs, inputs]
---@param inputs integer integer
---@param divisor number number
function M.finish(products, inputs, divisor) end

---@param tokens core.buffer.buffer i32 buffer
---@param threads? integer default 1
---@return core.buffer.buffer? # f32 buffer: the negative log-likelihood, in nats, of each token but the first | nil, message, code.
---@return string? message
---@return string? code
function model:score(tokens, threads) end

---@param documents table array of i32 buffers
---@param threads? integer default 1
---@param number? integer default 1
---@return table? # array of f32 buffers, as score gives them | nil, message, code. Messages count the documents from `number` on.
---@return string? message
---@return string? code
function model:score_many(documents, threads, number) end

---@param tokens core.buffer.buffer i32 buffer
---@param threads? integer default 1
---@return core.buffer.buffer? # f32 buffer [count, vocab] | nil, message, code.
---@return string? message
---@return string? code
function model:logits(tokens, threads) end

---@param tokens core.buffer.buffer i32 buffer
---@param wanted table array of {weight = name, squares = f64 buffer [inputs], products = f32 buffer [inputs, inputs] or nil}
---@param threads? integer default 1
---@return boolean? # true | nil, message, code: adds the squares of what goes into each of these matrices, and the products of each pair up to the diagonal, over all tokens. Of matrices that read the same only the first of a layer is known.
---@return string? message
---@return string? code
function model:collect(tokens, wanted, threads) end

return M
