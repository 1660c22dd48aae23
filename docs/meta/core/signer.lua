---@meta core.signer
-- Generated from core/signer.c by docs/generate.lua (`make docs`); edit there.

--- a child that alone has a hotkey's secret, and signs requests of BT-AUTH-V1 (contract.md 2.2) and nothing else.
---@class core.signer
local M = {}

---@class core.signer.signer
local signer = {}

---@param open function function
---@param keep? integer integer
---@return core.signer.signer? # signer, string | nil, message, code. `open` runs in the child, gives a key of core.sr25519 or nil, and the text that start gives, of 1 byte to 64 KiB; without a key the child ends. `keep` is a descriptor that it needs beside the standard streams.
---@return string?
---@return string? message
---@return string? code
function M.start(open, keep) end

---@param request string string
---@return string? # string of 64 bytes, other ones each time | nil, message, code. The request is what BT-AUTH-V1 signs; nothing else is.
---@return string? message
---@return string? code
function signer:sign(request) end

--- Ends the child. The signer signs nothing from then on.
function signer:close() end

return M
