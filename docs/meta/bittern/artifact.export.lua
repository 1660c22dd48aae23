---@meta bittern.artifact.export
-- Generated from lua/artifact/export.lua by docs/generate.lua (`make docs`); edit there.

--- A packed artifact in other people's forms: a dense archive, or a GGUF file for llama.cpp.
---@class bittern.artifact.export
local M = {}

--- The GGUF type that a packed matrix becomes.
---@param m any as packed.describe has it
---@return any # codec, whether it loses nothing.
function M.gguf_type(m) end

--- Writes a GGUF file for llama.cpp: matrices keep their codes where a block codec holds them exactly, and are rounded to q8_0 or f16 where none does.
---@param options table {dir, out = path that ends in .gguf, on_progress}
---@return table? # {path, size, matrices = number, rounded = array of {name, codec}, losses = array of lines}, or nil, message, code.
---@return string? message
---@return string? code
function M.gguf(options) end

--- Writes an archive of a plain Hugging Face directory, which needs no loader.
---@param options table {dir, out = path that ends in .zip, dtype = "bf16"|"f16"|"f32", on_progress}
---@return table? # {path, size, sha256, files = number}, or nil, message, code.
---@return string? message
---@return string? code
function M.dense(options) end

return M
