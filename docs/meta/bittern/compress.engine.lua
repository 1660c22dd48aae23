---@meta bittern.compress.engine
-- Generated from lua/compress/engine.lua by docs/generate.lua (`make docs`); edit there.

--- Compression of a model by a recipe: plan, measure, choose, write.
---@class bittern.compress.engine
local M = {}

--- Compresses a model. Stopped and started again, it goes on after the last whole tensor.
---@param options? table {model = path, recipe = name or path, out = folder, file.zip, or file.gguf for recipes of GGUF blocks, budget = bytes, or a rate as budget.rate takes it, or nil, set = {argument = value}, importance = path, threads = number, dry_run = plan only, limits = {seconds, memory} of a recipe's call, on_progress = function(bytes done, bytes in all), on_note = function(line for people)}
---@return table? # {plan = array of {name, shape, codec, group, bases, offsets, columns, rescued, bytes, parameters, error_before, error_after, norm}, recipe, recipe_sha256, settings, parameters, bytes = size of the archive that pack will make, budget = bytes or nil, error = relative squared error of all matrices or nil, out, size and sha256 of the file that was written, resumed = tensors that were there}, or nil, message, code.
---@return string? message
---@return string? code
function M.run(options) end

return M
