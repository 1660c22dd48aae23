---@meta bittern.model.zip
-- Generated from lua/model/zip.lua by docs/generate.lua (`make docs`); edit there.

--- Zip archives of models: stored entries are lent from the map without a copy, compressed ones are
--- read piece by piece.
---@class bittern.model.zip
local M = {}

---@class bittern.model.zip.archive
local archive = {}

--- Where the last end record may begin, which is what makes others take a file for a zip archive.
---@param source any map of the file
---@return any? # offset, or nil.
function M.find_mark(source) end

--- Reads the directory of an archive.
---@param source any map of the file; the archive is good as long as it is open
---@param path string string, what to call it in messages
---@return any? # archive with path, entries = array of {name, size, crc32, method, stored = its bytes in the file, offset = where they are} in order of names, by_name, size = of all entries unpacked, is_stored = whether none is compressed; or nil, message, code.
---@return string? message
---@return string? code
function M.read(source, path) end

--- Opens an archive.
---@param path string string
---@return any # as bittern.model.zip.read.
function M.open(path) end

--- The bytes of a stored entry, lent by the map: good as long as the archive is open.
---@param name string
---@return any? # slice, or nil, message, "not_found" or "archive_method".
---@return string? message
---@return string? code
function archive:slice(name) end

--- Reads an entry through, decompressed, and compares its size and CRC-32.
---@param name string string
---@param visit? function function(bytes, size) -> true, or nil, message, code to stop; the bytes are good until it returns
---@return boolean? # true, or nil, message, code.
---@return string? message
---@return string? code
function archive:read(name, visit) end

--- Reads an entry through and compares its CRC-32.
---@param name string
---@return boolean? # true, or nil, message, code.
---@return string? message
---@return string? code
function archive:check(name) end

--- Gives the map back; slices of it refuse from then on.
function archive:close() end

return M
