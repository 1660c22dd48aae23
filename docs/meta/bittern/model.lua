---@meta bittern.model
-- Generated from lua/model.lua by docs/generate.lua (`make docs`); edit there.

--- One face for models on disk: a Hugging Face directory, an archive of one, a GGUF file (or its
--- shards), or a safetensors file alone.
---@class bittern.model
local M = {}

---@class bittern.model.model
local model = {}

--- Opens a model; only headers are read, but an archive that cannot be mapped is unpacked into the cache.
---@param path string string, a directory, an archive of one, a GGUF or a safetensors file
---@param opened any what bittern.model.archive gave for the path, where it was asked already; the model closes it
---@return any? # model with kind = "directory"|"archive"|"gguf"|"safetensors", path, config, names = sorted array of tensor names, metadata, and of GGUF `entries` = array of {key, type, value}; or nil, message, code.
---@return string? message
---@return string? code
function M.open(path, opened) end

--- One tensor.
---@param name string
---@return table? # {name, dtype, shape, size, slice}, or nil, message, "not_found". The dtype is spelt as safetensors does; GGUF's block types are codecs in lower case, such as "q4_0".
---@return string? message
---@return string? code
function model:tensor(name) end

--- A tensor of floating point numbers as f32, whatever its codec.
---@param name string
---@return core.buffer.buffer? # f32 buffer, shape; or nil, message, code.
---@return string? message
---@return string? code
function model:floats(name) end

--- The files that hold its weights.
---@return table # array of {name, bytes, data = bytes behind the header, tensors = how many}, sorted by name.
function model:files() end

--- What tells one state of its files from another without reading them.
---@return string # text of their paths, sizes and times of change.
function model:stamp() end

--- Whether the model has a file of this name beside its weights.
---@param name string
function model:has(name) end

--- A small file of the model, such as config.json.
---@param name string
---@return string? # string, or nil, message, code.
---@return string? message
---@return string? code
function model:file(name) end

--- Gives the maps back; slices of tensors refuse from then on.
function model:close() end

return M
