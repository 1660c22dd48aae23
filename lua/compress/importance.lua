-- How much each column of a matrix matters: the mean square of its inputs, as llama.cpp's
-- importance matrices (GGUF) or a safetensors file of F32 vectors under the matrices' names say.
local buffer = require "core.buffer"

local imatrix = require "bittern.model.imatrix"
local models = require "bittern.model"

local M = {}

--- What the names of second-moment matrices, which lie beside the vectors, end in.
M.HESSIAN = ".hessian"

-- Sums of squares over all matrices of a name, by how many inputs went into them.
local function mean_squares(entry)
  local out, counts = buffer.new("f32", entry.columns), entry.counts:sum()
  if counts <= 0 then return nil end
  for column = 0, entry.columns - 1 do
    local sum = 0.0
    for i = 0, entry.matrices - 1 do sum = sum + entry.sums:get(i * entry.columns + column) end
    out:set(column, sum / counts)
  end
  return out
end

local function from_gguf(path)
  local matrix, message, code = imatrix.read(path)
  if not matrix then return nil, message, code end
  return function(name)
    local entry = matrix:of(name)
    return entry and mean_squares(entry)
  end
end

local function from_safetensors(path)
  local model <close>, message, code = models.open(path)
  if not model then return nil, message, code end
  local vectors = {}
  for _, name in ipairs(model.names) do
    local tensor = model:tensor(name)
    if name:find(M.HESSIAN, -#M.HESSIAN, true) then goto continue end
    if tensor.dtype ~= "F32" or #tensor.shape ~= 1 then
      return nil, ("%s: '%s' is %s of %d sizes, not a vector of F32"):format(path, name,
        tensor.dtype, #tensor.shape), "model_tensor"
    end
    vectors[name] = buffer.from("f32", tensor.slice)
    ::continue::
  end
  return function(name) return vectors[name] end
end

local function check_column(path, name, values)
  for column = 0, #values - 1 do
    local value = values:get(column)
    if not (value >= 0 and value < math.huge) then
      return nil, ("%s: '%s', column %d: %s is no importance"):format(path, name, column, value),
        "model_tensor"
    end
  end
  return values:sum() > 0
end

--- Reads importances.
-- @param path of a GGUF or safetensors file
-- @return function(item of a plan) -> f32 buffer of its columns, false where nothing is known, or
--   nil, message, code; or nil, message, code
function M.open(path)
  local find, message, code = (path:find("%.safetensors$") and from_safetensors or from_gguf)(path)
  if not find then return nil, message, code end
  return function(item)
    local values = find(item.name)
    if not values then return false end
    if #values ~= item.cols then
      return nil, ("%s: '%s' has %d columns, the matrix has %d"):format(path, item.name, #values,
        item.cols), "model_tensor"
    end
    local some, why, id = check_column(path, item.name, values)
    if some == nil then return nil, why, id end
    return some and values
  end
end

return M
