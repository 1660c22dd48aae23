---@meta bittern.convert
-- Generated from lua/convert.lua by docs/generate.lua (`make docs`); edit there.

--- Models from one format into another: safetensors directories and files, GGUF, packed artifacts.
---@class bittern.convert
local M = {}

--- The codecs that a conversion can ask for.
M.PLAIN = nil

--- Converts a model. Without `to`, no number changes.
---@param options table {input = path, out = path: *.gguf, *.safetensors, *.zip or else a directory, to = codec, keep = array of parts of names whose tensors keep their type, fit = "reference" or "least_squares" for block codecs, each = {tensor's name = {to = codec, fit}} for single ones instead of `to`, create = function(path, {header, tensors, total}) that opens a GGUF file in another way than bittern.model.placed, dry_run = true plans only, on_progress = function(done, total) of values}
---@return table? # {out, format, bytes of weights or of the archive, sha256 where it was made beside the work, parameters, tensors = array of {name, from, codec, stored, shape}, kept = matrices that did not take the codec, losses}, or nil, message, code.
---@return string? message
---@return string? code
function M.run(options) end

return M
