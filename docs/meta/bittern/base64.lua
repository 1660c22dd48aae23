---@meta bittern.base64
-- Generated from lua/base64.lua by docs/generate.lua (`make docs`); edit there.

--- Bytes as base64 (RFC 4648, section 4).
---@class bittern.base64
local M = {}

--- Four characters for every three bytes, the last ones filled up with `=`.
---@param bytes core.bytes string, buffer, map, slice or secret
function M.encode(bytes) end

return M
