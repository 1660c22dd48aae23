---@meta bittern.tokenizer
-- Generated from lua/tokenizer.lua by docs/generate.lua (`make docs`); edit there.

--- Tokenizers: the byte tokenizer of the validators' small models, and byte-level byte-pair encoding
--- as tokenizer.json describes it.
---@class bittern.tokenizer
local M = {}

--- The byte tokenizer.
---@return table # {name, size = tokens, encode(text) -> i32 buffer, text(id) -> string}.
function M.bytes() end

--- A tokenizer from the text of its tokenizer.json.
---@param text string string
---@return table? # {name, size, first = ids that a text begins with, encode(text) -> i32 buffer | nil, message, code, text(id) -> string}, or nil, message, code.
---@return string? message
---@return string? code
function M.from_json(text) end

--- A tokenizer from the metadata of a GGUF file.
---@param metadata table {key = value}
---@return any? # as bittern.tokenizer.from_json, or nil, message, code.
---@return string? message
---@return string? code
function M.from_gguf(metadata) end

return M
