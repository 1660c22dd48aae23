---@meta bittern.model.imatrix
-- Generated from lua/model/imatrix.lua by docs/generate.lua (`make docs`); edit there.

--- Importance matrices in llama.cpp's GGUF form: for each weight matrix, how strongly a text excites
--- its inputs, as sums of squared activations and how many went into them.
---@class bittern.model.imatrix
local M = {}

---@class bittern.model.imatrix.imatrix
local imatrix = {}

--- Reads an importance matrix.
---@param path string string
---@return table? # {names = sorted array, weights = {name = {sums = f32 buffer [matrices, columns], counts = f32 buffer [matrices], columns, matrices}}, datasets, chunk_count, chunk_size}; or nil, message, code.
---@return string? message
---@return string? code
function M.read(path) end

--- What is known of a weight.
---@param name string as GGUF or Hugging Face has it
---@return table? # {sums, counts, columns, matrices}, or nil.
function imatrix:of(name) end

return M
