---@meta bittern.artifact.packed
-- Generated from lua/artifact/packed.lua by docs/generate.lua (`make docs`); edit there.

--- Reading packed artifacts: which matrices a model holds, whether all of their parts are there and
--- fit, how many parameters that makes, and their ordinary numbers.
---@class bittern.artifact.packed
local M = {}

--- Whether a tensor of the model counts as a parameter.
---@param model any what model.open gives
---@param name string of the tensor
---@param dtype string its type, such as "BF16"
---@return boolean # boolean.
function M.is_parameter(model, name, dtype) end

--- What a model holds, packed or not, with every name, shape and row number checked.
---@param model any an open model
---@return table? # {matrices = {name = as matrices.read gives it}, plain = sorted names of the other tensors, parameters = as a validator counts them}, or nil, message, code.
---@return string? message
---@return string? code
function M.describe(model) end

--- Parameters of the model that a validator loads.
---@param model any what model.open gives
---@return integer? # integer, or nil, message, code.
---@return string? message
---@return string? code
function M.parameters(model) end

--- Decodes a matrix and drops it: whether it can be, within little memory.
---@param model any what model.open gives
---@param name string
---@param m any its entry in bittern.artifact.packed.describe
---@return boolean? # true, or nil, message, code.
---@return string? message
---@return string? code
function M.try(model, name, m) end

--- A matrix as ordinary numbers.
---@param model any an open model
---@param name string string
---@param m any its entry in bittern.artifact.packed.describe
---@return core.buffer.buffer? # f32 buffer [rows, columns], or nil, message, code.
---@return string? message
---@return string? code
function M.matrix(model, name, m) end

--- All parameters of a model, packed or not, as ordinary numbers.
---@param model any an open model
---@return table? # {name = f32 buffer}, the model's description; or nil, message, code.
---@return string? message
---@return string? code
function M.weights(model) end

return M
