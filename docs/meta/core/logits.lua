---@meta core.logits
-- Generated from core/logits.c by docs/generate.lua (`make docs`); edit there.

--- what two models say of the same tokens, position by position.
---@class core.logits
local M = {}

---@param tokens core.buffer.buffer i32 buffer
---@param reference core.buffer.buffer f32 buffer [tokens, vocab]
---@param other core.buffer.buffer f32 buffer [tokens, vocab]
---@param vocab integer integer
---@return table? # {reference, other = f32 buffers of nats that each token but the first costs; divergence = f32 buffer of the KL divergence of `other` from `reference` at its position; agree = u8 buffer, 1 where both think the same token the likeliest} | nil, message, code. The logits are finite numbers.
---@return string? message
---@return string? code
function M.compare(tokens, reference, other, vocab) end

return M
