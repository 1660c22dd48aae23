-- Reading packed artifacts: which matrices a model holds, whether all of their parts are there and
-- fit, how many parameters that makes, and their ordinary numbers.
local buffer = require "core.buffer"
local quant = require "core.quant"

local check = require "bittern.check"
local layout = require "bittern.artifact.layout"
local matrices_of = require "bittern.artifact.matrices"
local stored = require "bittern.artifact.stored"

local M = {}

local TILE_BYTES <const> = 16 << 20 -- of f32 values that are decoded at once

local function bad(model, format, ...)
  return nil, model.path .. ": " .. format:format(...), "invalid_artifact"
end

local floating = { F32 = true, F16 = true, BF16 = true, F64 = true }

-- GGUF's block codecs, spelt in lower case, stand for floating point numbers too.
local function is_floating(dtype)
  return floating[dtype] or dtype == dtype:lower()
end

-- What a framework counts as parameters: floating point, and not a second name of the embedding.
local function is_parameter(model, name, dtype)
  if not is_floating(dtype) or name:find("rotary_emb%.inv_freq$") then return false end
  return not (model.config.tie_word_embeddings == true and name == "lm_head.weight")
end
--- Whether a tensor of the model counts as a parameter.
-- @param model what model.open gives
-- @param name of the tensor
-- @param dtype its type, such as "BF16"
-- @return boolean
M.is_parameter = is_parameter

local function count_plain(model, names)
  local total = 0
  for _, name in ipairs(names) do
    local tensor, message, code = model:tensor(name)
    if not tensor then return nil, message, code end
    local count = is_parameter(model, name, tensor.dtype) and 1 or 0
    for _, size in ipairs(tensor.shape) do count = count * size end
    total = total + count
  end
  return total
end

--- What a model holds, packed or not, with every name, shape and row number checked.
-- @param model an open model
-- @return {matrices = {name = as matrices.read gives it}, plain = sorted names of the other
--   tensors, parameters = as a validator counts them}, or nil, message, code
function M.describe(model)
  local left = {}
  for _, name in ipairs(model.names) do left[name] = true end
  local matrices, message, code = matrices_of.read(model, left)
  if not matrices then return nil, message, code end
  local plain = check.sorted_keys(left)
  local total, why, id = count_plain(model, plain)
  if not total then return nil, why, id end
  for name, m in pairs(matrices) do
    if is_parameter(model, name, "F32") then total = total + m.shape[1] * m.shape[2] end
  end
  return { matrices = matrices, plain = plain, parameters = total }
end

--- Parameters of the model that a validator loads.
-- @param model what model.open gives
-- @return integer, or nil, message, code
function M.parameters(model)
  local description, message, code = M.describe(model)
  return description and description.parameters, message, code
end

-- Names the stored rows that could not be decoded.
local function undecoded(model, prefix, first, message, code)
  if code == "interrupted" then return nil, message, code end
  return bad(model, "'%s', tile at row %d: %s", prefix, first, message)
end

-- Decodes the rows stored under a prefix tile by tile: visit(f32 buffer, first row, rows).
local function decode_tiles(model, prefix, m, visit)
  local rows, step = m.shape[1], math.max(1, TILE_BYTES // (4 * m.shape[2]))
  for first = 0, rows - 1, step do
    local n = math.min(step, rows - first)
    local values, message, code = stored.decode(model, prefix, m, first, n)
    if not values then return undecoded(model, prefix, first, message, code) end
    visit(values, first, n)
  end
  return true
end

-- The kept and the rescued rows as matrices of their own.
local function halves(name, m)
  return { { name, layout.kept(m) }, { name .. ".rescue", layout.rescue(m) } }
end

--- Decodes a matrix and drops it: whether it can be, within little memory.
-- @param model what model.open gives
-- @param m its entry in M.describe
-- @return true, or nil, message, code
function M.try(model, name, m)
  for _, half in ipairs(halves(name, m)) do
    local ok, message, code = decode_tiles(model, half[1], half[2], function() end)
    if not ok then return nil, message, code end
  end
  return true
end

-- Numbers of the rows that are not rescued.
local function kept_rows(m)
  local kept, at, rescued = buffer.new("i32", m.shape[1] - m.rescued), 0, 0
  for row = 0, m.shape[1] - 1 do
    if rescued < m.rescued and m.rows:get(rescued) == row then
      rescued = rescued + 1
    else
      kept:set(at, row)
      at = at + 1
    end
  end
  return kept
end

--- A matrix as ordinary numbers.
-- @param model an open model
-- @param name string
-- @param m its entry in M.describe
-- @return f32 buffer [rows, columns], or nil, message, code
function M.matrix(model, name, m)
  local rows, cols = m.shape[1], m.shape[2]
  if m.rescued == 0 then
    local values, message, code = stored.decode(model, name, m, 0, rows)
    if values then return values end
    return undecoded(model, name, 0, message, code)
  end
  local out = buffer.new("f32", rows * cols)
  local numbers = { kept_rows(m), m.rows }
  for i, half in ipairs(halves(name, m)) do
    local ok, message, code = decode_tiles(model, half[1], half[2], function(values, first, n)
      assert(quant.scatter(out, cols, numbers[i]:view(first, n), values))
    end)
    if not ok then return nil, message, code end
  end
  return out
end

--- All parameters of a model, packed or not, as ordinary numbers.
-- @param model an open model
-- @return {name = f32 buffer}, the model's description; or nil, message, code
function M.weights(model)
  local description, message, code = M.describe(model)
  if not description then return nil, message, code end
  local weights = {}
  for _, name in ipairs(description.plain) do
    if is_floating(model:tensor(name).dtype) then
      local values, why, id = model:floats(name)
      if not values then return nil, why, id end
      weights[name] = values
    end
  end
  for name, m in pairs(description.matrices) do
    local values, why, id = M.matrix(model, name, m)
    if not values then return nil, why, id end
    weights[name] = values
  end
  return weights, description
end

return M
