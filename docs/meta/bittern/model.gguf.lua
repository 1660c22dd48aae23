---@meta bittern.model.gguf
-- Generated from lua/model/gguf.lua by docs/generate.lua (`make docs`); edit there.

--- Reading GGUF files, versions 2 and 3. Nothing in them is believed: counts and lengths are held
--- against the bytes that are left, and a tensor's type against the room that it takes.
--- 
---   "GGUF", u32 version, i64 tensors, i64 metadata entries
---   entries     key, i32 value type, value
---   tensors     name, u32 rank, i64 sizes (the fastest first), i32 type, u64 offset
---   data        from the next aligned byte on; each tensor padded to the alignment
---@class bittern.model.gguf
local M = {}

---@class bittern.model.gguf.file
local file = {}

--- Reads the header of a GGUF file.
---@param source any map or slice of the whole file; the result is good as long as it is open
---@param name string string, what to call the file in messages
---@return any? # file with version, alignment, entries = array of {key, type, value}, metadata = {key = value}, tensors = array in the order of their bytes of {name, dtype, shape, count, size, offset}, by_name, data_offset; or nil, message, code.
---@return string? message
---@return string? code
function M.open(source, name) end

--- The bytes of a tensor, not a copy.
---@param name string string
---@return any? # slice, or nil, message, "not_found".
---@return string? message
---@return string? code
function file:slice(name) end

--- Whether a metadata value is an array.
---@param value any
function M.is_array(value) end

return M
