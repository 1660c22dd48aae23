---@meta bittern.eval.load
-- Generated from lua/eval/load.lua by docs/generate.lua (`make docs`); edit there.

--- Models made ready to run: their description, and their weights where they are stored, under the
--- names that the description has.
---@class bittern.eval.load
local M = {}

--- A packed matrix of an open model, where it lies.
---@param model any an open model
---@param name string of the matrix
---@param m any its entry in packed.describe
---@return table # table as core.forward.new takes it, good as long as the model is open.
function M.matrix(model, name, m) end

--- Reads what running a model takes.
---@param model any an open model, packed or not
---@return table? # {path, description = as bittern.model.architecture gives it, weights = {name = f32 buffer, or where a matrix is stored}, parameters = as a validator counts them, vocab = tokens it knows, explain = function(message) that adds what its files say of a failure}, good as long as the model is open; or nil, message, code.
---@return string? message
---@return string? code
function M.read(model) end

--- Makes a model that was read ready to run; the weights stay its own, and may be changed for another call.
---@param read any as bittern.eval.load.read gives it
---@param options table {exact = true} computes in f32 throughout; else products with packed matrices round activations to eight bits
---@return any? # runnable with score, score_many and logits (core.forward), or nil, message, code.
---@return string? message
---@return string? code
function M.start(read, options) end

return M
