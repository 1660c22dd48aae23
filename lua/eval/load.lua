-- Models made ready to run: their description, and their weights where they are stored, under the
-- names that the description has.
local forward = require "core.forward"
local quant = require "core.quant"

local architecture = require "bittern.model.architecture"
local layout = require "bittern.artifact.layout"
local naming = require "bittern.model.naming"
local packed = require "bittern.artifact.packed"

local M = {}

local codec_of = { F32 = "f32", F16 = "f16", BF16 = "bf16" }

local function slice_of(model, name)
  return assert(model:tensor(name)).slice
end

-- What is stored under a prefix, as core.forward takes it.
local function stored(model, prefix, m)
  local bases = {}
  for base = 1, m.bases or 1 do
    local codes, scales = layout.base_names(prefix, base)
    bases[base] = { codes = slice_of(model, codes), scales = slice_of(model, scales) }
  end
  local first = table.remove(bases, 1)
  return {
    codec = m.codec, group = m.group, rows = m.shape[1], cols = m.shape[2], codes = first.codes,
    scales = first.scales, more = bases,
    offsets = m.offsets and slice_of(model, prefix .. ".offsets") or nil,
    columns = m.columns and slice_of(model, prefix .. ".colscales") or nil,
  }
end

--- A packed matrix of an open model, where it lies.
-- @param model an open model
-- @param name of the matrix
-- @param m its entry in packed.describe
-- @return table as core.forward.new takes it, good as long as the model is open
function M.matrix(model, name, m)
  local weight = stored(model, name, layout.kept(m))
  weight.rows = m.shape[1]
  if m.rescued > 0 then
    local rescue = stored(model, name .. ".rescue", layout.rescue(m))
    weight.rescue = { rows = m.rows, codes = rescue.codes, scales = rescue.scales }
  end
  return weight
end

-- A tensor that is not compressed by us: a matrix stays where it is, the rest is small.
local function plain(model, name)
  local tensor, message, code = model:tensor(name)
  if not tensor then return nil, message, code end
  local codec = codec_of[tensor.dtype] or quant.codecs()[tensor.dtype] and tensor.dtype
  if #tensor.shape == 2 and codec then
    return { codec = codec, rows = tensor.shape[1], cols = tensor.shape[2], codes = tensor.slice }
  end
  return model:floats(name)
end

-- Calls visit(name) for everything in a description that may be a weight's name.
local function each_name(description, visit)
  for key, value in pairs(description) do
    if type(value) == "table" then each_name(value, visit) end
    if type(key) == "string" and type(value) == "string" then visit(value) end
  end
end

-- What is known under a description's name. A model that was saved without its head lacks the first
-- part of each name.
local function find(known, wanted)
  local short = wanted:match("^[%w_]+%.(.+)$")
  if known[wanted] or not short then return known[wanted], wanted end
  return known[short], short
end

-- The model's own names of weights, by Hugging Face's.
local function names_of(model)
  local names = {}
  for _, name in ipairs(model.names) do
    names[model.kind == "gguf" and naming.to_huggingface(name) or name] = name
  end
  return names
end

local function weights_of(model, description, matrices)
  local names, weights = names_of(model), {}
  local failure
  each_name(description, function(wanted)
    if failure or weights[wanted] then return end
    local m, packed_name = find(matrices, wanted)
    local name = find(names, wanted)
    if m then
      weights[wanted] = M.matrix(model, packed_name, m)
    elseif name then
      local weight, message, code = plain(model, name)
      weights[wanted] = weight
      if not weight then failure = { message, code } end
    end
  end)
  if failure then return nil, failure[1], failure[2] end
  return weights
end

-- What to do about a model that only its own Python can load.
local function add_loader(model, message)
  if type(model.config.auto_map) ~= "table" then return message end
  return message .. "; it brings its own loader (auto_map), which is not run here: measure it with "
    .. "the task's benchmark, `bittern bench`"
end

--- Reads what running a model takes.
-- @param model an open model, packed or not
-- @return {path, description = as bittern.model.architecture gives it, weights = {name = f32
--   buffer, or where a matrix is stored}, parameters = as a validator counts them, vocab = tokens
--   it knows, explain = function(message) that adds what its files say of a failure}, good as long
--   as the model is open; or nil, message, code
function M.read(model)
  local where = model.path
  if model.kind == "safetensors" then
    return nil, where .. ": has no config.json beside its weights; name the model's directory",
      "invalid_model"
  end
  local gguf = model.kind == "gguf"
  local description, message, code = architecture.describe(model.config,
    gguf and where or where .. "/config.json", gguf)
  if not description then return nil, add_loader(model, message), code end
  local content, why, id = packed.describe(model)
  if not content then return nil, why, id end
  local weights, reason, kind = weights_of(model, description, content.matrices)
  if not weights then return nil, reason, kind end
  return { path = where, description = description, weights = weights,
    parameters = content.parameters, vocab = description.vocab,
    explain = function(problem)
      return next(content.matrices) and problem or add_loader(model, problem)
    end }
end

--- Makes a model that was read ready to run; the weights stay its own, and may be changed for
-- another call.
-- @param read as M.read gives it
-- @param options {exact = true} computes in f32 throughout; else products with packed matrices
--   round activations to eight bits
-- @return runnable with score, score_many and logits (core.forward), or nil, message, code
function M.start(read, options)
  local runnable, message, code = forward.new(read.description, read.weights,
    { exact = options ~= nil and options.exact == true })
  if not runnable then return nil, read.path .. ": " .. read.explain(message), code end
  return runnable
end

return M
