---@meta bittern.hex
-- Generated from lua/hex.lua by docs/generate.lua (`make docs`); edit there.

--- Bytes as hexadecimal digits, and back.
---@class bittern.hex
local M = {}

--- Two lower-case digits for each byte.
---@param bytes core.bytes string, buffer, map, slice or secret
function M.encode(bytes) end

--- The bytes of an even number of digits.
---@param digits string string
function M.decode(digits) end

return M
