---@meta core.archive
-- Generated from core/archive.c by docs/generate.lua (`make docs`); edit there.

--- what archives are checked and packed with, by libdeflate. Whole buffers only: what may be large is streamed by core.unpack.
---@class core.archive
local M = {}

---@param bytes core.bytes string, buffer, map, slice or secret
---@param previous? integer default 0
---@param threads? integer default 1
---@return integer? # integer | nil, message, "interrupted". The CRC-32 of a stream is that of its pieces, each given the one before.
---@return string? message
---@return string? code
function M.crc32(bytes, previous, threads) end

---@param bytes core.bytes string, buffer, map, slice or secret
---@param size integer bytes
---@return core.buffer.buffer? # u8 buffer of `size` bytes | nil, message, "archive_damaged": a raw deflate stream that fills `bytes` exactly and gives exactly that much.
---@return string? message
---@return string? code
function M.inflate(bytes, size) end

---@param bytes core.bytes string, buffer, map, slice or secret
---@param level? integer default 6
---@return string # string, a raw deflate stream.
function M.deflate(bytes, level) end

return M
