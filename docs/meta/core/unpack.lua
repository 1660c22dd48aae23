---@meta core.unpack
-- Generated from core/unpack.c by docs/generate.lua (`make docs`); edit there.

--- the entries of a tar stream, or of one compressed zip member, by libarchive, one after the other and in the order of their bytes. Nothing is ever written: what happens to an entry is the script's business. tar.gz: input -> filter (gzip) -> counted -> format (tar) -> entries tar: input -------------------> counted -> format (tar) -> entries zip: input -> format (zip, inflates by itself) -> counted -> one entry The tar format is given no byte more than it needs: 512 at a time while it reads headers, and an entry's bytes up to their end. So the header blocks of each entry are known, and what hides in them can be refused.
---@class core.unpack
local M = {}

---@class core.unpack.unpacker
local unpacker = {}

---@param bytes core.bytes string, buffer, map, slice or secret
---@param options? table {filter = "none"|"gzip"|"bzip2"|"xz", most = bytes}
---@return core.unpack.unpacker? # unpacker | nil, message, code.
---@return string? message
---@return string? code
function M.tar(bytes, options) end

---@param bytes core.bytes string, buffer, map, slice or secret
---@param options? table {most = bytes}
---@return core.unpack.unpacker? # unpacker | nil, message, code. The bytes are a zip's from a local header to where the next one may begin.
---@return string? message
---@return string? code
function M.member(bytes, options) end

---@return table? # {name, kind = "file"|"folder"|"link"|"sparse"|"device", size}, false at the end, or nil, message, code.
---@return string? message
---@return string? code
function unpacker:next() end

---@return integer? # integer: size of the next run of the entry's bytes, 0 at its end | nil, message, code. Until the next call the unpacker lends these bytes.
---@return string? message
---@return string? code
function unpacker:block() end

---@return boolean? # true | nil, message, code: a tar ends with two blocks of zeros; nothing but zeros may follow them, and nothing its compressed stream.
---@return string? message
---@return string? code
function unpacker:finish() end

---@return integer # integer: bytes that came out so far.
function unpacker:unpacked() end

--- Gives its memory back; the bytes that it read stay whose they are.
function unpacker:close() end

return M
