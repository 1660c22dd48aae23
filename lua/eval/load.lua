-- Models made ready to run: their weights as the forward pass takes them, under the names it knows.
local forward = require "core.forward"

local huggingface = require "bittern.model.huggingface"
local naming = require "bittern.model.naming"
local packed = require "bittern.artifact.packed"

local M = {}

-- Weights under the names that the forward pass knows.
local function renamed(model, weights)
  if model.kind ~= "gguf" then return weights end
  local result = {}
  for name, values in pairs(weights) do result[naming.to_huggingface(name) or name] = values end
  return result
end

--- Reads what running a model takes.
-- @param model an open model, packed or not
-- @return {path, config, weights, parameters = as a validator counts them, vocab = tokens it
--   knows}, or nil, message, code
function M.read(model)
  local where = model.path
  if model.kind == "safetensors" then
    return nil, where .. ": has no config.json beside its weights; name the model's directory",
      "invalid_model"
  end
  local settings = model.kind == "gguf" and where or where .. "/config.json"
  local config, message, code = huggingface.qwen3(model.config, settings)
  if not config then return nil, message, code end
  local weights, description, id = packed.weights(model)
  if not weights then return nil, description, id end
  return { path = where, config = config, weights = renamed(model, weights),
    parameters = description.parameters, vocab = config.vocab_size }
end

--- Makes a model that was read ready to run; the weights stay its own, and may be changed for
-- another call.
-- @param read as M.read gives it
-- @return runnable with score, score_many and logits (core.forward), or nil, message, code
function M.start(read)
  local runnable, message, code = forward.new(read.config, read.weights)
  if not runnable then return nil, read.path .. ": " .. message, code end
  return runnable
end

return M
