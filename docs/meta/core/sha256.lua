---@meta core.sha256
-- Generated from core/sha256.c by docs/generate.lua (`make docs`); edit there.

--- SHA-256 by OpenSSL, one-shot, streaming, and of a file; of several files together by interleaved lanes, where the processor has the instructions.
---@class core.sha256
local M = {}

---@class core.sha256.follower
local follower = {}

---@class core.sha256.hash
local hash = {}

---@param bytes core.bytes string, buffer, map, slice or secret
---@return string # string of 64 lower-case hexadecimal digits.
function M.hex(bytes) end

---@return core.sha256.hash # hash of nothing yet.
function M.new() end

---@param path string
---@return string? # string, integer: 64 hexadecimal digits, and the size in bytes | nil, message, code.
---@return integer?
---@return string? message
---@return string? code
function M.file(path) end

---@param paths table array of strings
---@param options? table {lanes = true}
---@return table? # array of {sha256, size} in their order | nil, message, code: of the first that cannot be read.
---@return string? message
---@return string? code
function M.files(paths, options) end

---@param path string
---@return core.sha256.follower? # follower of a file that is being filled | nil, message, code. A thread of its own hashes what is there.
---@return string? message
---@return string? code
function M.follow(path) end

--- So many, from the first on, are there by now.
---@param bytes integer integer
function follower:advance(bytes) end

---@return string? # string: the 64 digits of what is there | nil, message, code. The follower is finished then.
---@return string? message
---@return string? code
function follower:hex() end

--- Ends the thread; what it has hashed is lost.
function follower:close() end

---@param bytes core.bytes string, buffer, map, slice or secret
---@return core.sha256.hash # hash: the same one, so that calls can be chained.
function hash:update(bytes) end

---@return string # string of 64 hexadecimal digits; the hash is finished then.
function hash:hex() end

return M
