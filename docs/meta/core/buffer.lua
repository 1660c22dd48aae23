---@meta core.buffer
-- Generated from core/buffer.c by docs/generate.lua (`make docs`); edit there.

--- typed arrays (f64 f32 f16 bf16 u8 i8 i32). Scripts pass them around whole; single elements are for tests and small tables.
---@class core.buffer
local M = {}

---@class core.buffer.buffer
local buffer = {}

---@param dtype string "f32", "f16", "bf16", ...
---@param count integer
---@return core.buffer.buffer # buffer of zeros.
function M.new(dtype, count) end

---@param dtype string "f32", "f16", "bf16", ...
---@param source core.bytes bytes
---@return core.buffer.buffer # buffer with a copy of the bytes.
function M.from(dtype, source) end

---@param source core.bytes bytes
---@param add? integer default 0
---@return core.buffer.buffer # i32 buffer: each byte as a number, plus `add` (a byte tokenizer is add = 1).
function M.from_bytes(source, add) end

---@return integer # integer: how many elements; `#buffer` says the same.
function buffer:count() end

---@return string # string: "f32", "f16", "bf16", "u8", ...
function buffer:dtype() end

---@return integer # integer: its size in bytes.
function buffer:bytes_size() end

---@return string # string of its bytes.
function buffer:text() end

---@param i integer counted from 0
---@return number # number: element i, counted from 0.
function buffer:get(i) end

--- Element i becomes `value`, rounded to nearest even. Integers must fit, or it raises.
---@param i integer counted from 0
---@param value number number
function buffer:set(i, value) end

--- Its elements from `offset` on become those of `source`, which has the same dtype.
---@param offset integer counted from 0
---@param source core.buffer.buffer buffer
function buffer:put(offset, source) end

---@param offset integer counted from 0
---@param count integer
---@return core.buffer.buffer # buffer of the same elements, not a copy.
function buffer:view(offset, count) end

---@return number # number: the sum of an f32 buffer, in doubles, from the first to the last.
function buffer:sum() end

return M
