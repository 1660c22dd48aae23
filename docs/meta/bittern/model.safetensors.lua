---@meta bittern.model.safetensors
-- Generated from lua/model/safetensors.lua by docs/generate.lua (`make docs`); edit there.

--- The safetensors format: every check of the reference reader, and duplicate names refused too.
--- 
---   bytes 0..7        N, little-endian: length of the header
---   bytes 8..8+N-1    JSON: name -> {dtype, shape, data_offsets = [begin, end)}, __metadata__
---   bytes 8+N..       the tensors one after the other, no holes; offsets count from here
---@class bittern.model.safetensors
local M = {}

---@class bittern.model.safetensors.file
local file = {}

--- Bits of an element.
---@param dtype string string as in a header
---@return integer? # integer, or nil for a type that is not known.
function M.bits(dtype) end

--- Reads the header of a safetensors file.
---@param source any map or slice of the whole file; the result is good as long as it is open
---@param name string string, what to call the file in messages
---@return any? # file with tensors = array in the order of their bytes of {name, dtype, shape, offset, size}, by_name, metadata, data_offset; or nil, message, "model_...".
---@return string? message
---@return string? code
function M.open(source, name) end

--- The bytes of a tensor, not a copy.
---@param name string string
---@return any? # slice, or nil, message, "not_found".
---@return string? message
---@return string? code
function file:slice(name) end

--- The header of a file to be written, padded so that the data begins 64-byte aligned.
---@param entries table array of {name, dtype, shape}
---@param metadata? table {string = string} or nil
---@param options table {order = "given"} keeps the order of `entries`; else wide elements come first, then names decide
---@return string # string, array of {name, offset, size} in the order the data must follow, bytes of data.
function M.header(entries, metadata, options) end

return M
