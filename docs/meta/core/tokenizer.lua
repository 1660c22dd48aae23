---@meta core.tokenizer
-- Generated from core/tokenizer.c by docs/generate.lua (`make docs`); edit there.

--- texts to tokens by byte-level byte-pair encoding, as tokenizer.json describes it. The vocabulary's text is read by scripts; here are added tokens, normal form, the split into words, and merges.
---@class core.tokenizer
local M = {}

---@class core.tokenizer.tokenizer
local tokenizer = {}

---@param options table {bytes = i32 [256], merges = i32 [n * 3] of left, right, token in order of rank, patterns = array of PCRE2 patterns, each splitting the pieces of the one before, added = array of {text, id, lstrip, rstrip}, nfc = false, prefix_space = false, words = {word = token}: those that are not split, or nil}
---@return core.tokenizer.tokenizer? # tokenizer | nil, message, code. The tables must not change afterwards.
---@return string? message
---@return string? code
function M.new(options) end

---@param text string
---@return string # string: its normal form C; bytes that are no UTF-8 stay.
function M.nfc(text) end

---@param text string
---@return core.buffer.buffer? # i32 buffer of tokens | nil, message, code.
---@return string? message
---@return string? code
function tokenizer:encode(text) end

--- Gives its memory back.
function tokenizer:close() end

return M
