-- What a model holds, however it is stored: each tensor once, with its codec and what it costs, and
-- its numbers in pieces, so that memory stays small whatever the model.
local buffer = require "core.buffer"
local quant = require "core.quant"
local statistics = require "core.statistics"
local sys = require "core.sys"

local check = require "bittern.check"
local layout = require "bittern.artifact.layout"
local packed = require "bittern.artifact.packed"
local rows_of_matrix = require "bittern.artifact.rows"
local types = require "bittern.model.gguf.types"

local M = {}

local PIECE <const> = 4 << 20 -- values; a multiple of every block

local plain = { F32 = "f32", F16 = "f16", BF16 = "bf16" }

local function count_of(shape)
  local count = 1
  for _, size in ipairs(shape) do count = count * size end
  return count
end

-- Rows are of the last size; a scalar is one row of one value.
local function rows_of(shape)
  local cols = shape[#shape] or 1
  return cols > 0 and count_of(shape) // cols or 0, cols
end

local function item_of(name, shape, codec, bytes)
  local rows, cols = rows_of(shape)
  return { name = name, shape = shape, count = rows * cols, rows = rows, cols = cols,
    codec = codec, bytes = bytes }
end

local function packed_item(model, name, m)
  local bytes = 0
  for _, part in ipairs(layout.tensors(name, m)) do
    bytes = bytes + model:tensor(part.name).size
  end
  local item = item_of(name, m.shape, m.codec, bytes)
  item.matrix, item.rescued = m, m.rescued
  item.parameters = packed.is_parameter(model, name, "F32") and item.count or 0
  return item
end

local function plain_item(model, name)
  local tensor, message, code = model:tensor(name)
  if not tensor then return nil, message, code end
  local item = item_of(name, tensor.shape, tensor.dtype:lower(), tensor.size)
  item.dtype = tensor.dtype
  item.parameters = packed.is_parameter(model, name, tensor.dtype) and item.count or 0
  return item
end

-- Numbers within names compare as numbers: layer 2 comes before layer 10.
local function natural(name)
  return (name:gsub("%d+", function(digits) return ("%09d"):format(#digits) .. digits end))
end

--- What a model holds.
-- @param model an open model
-- @return {items = array in natural order of {name, shape, count, rows, cols, codec, bytes,
--   parameters, and of packed matrices `matrix` and `rescued`}, by_name, parameters, bytes,
--   matrices}, or nil, message, code
function M.of(model)
  local description, message, code = packed.describe(model)
  if not description then return nil, message, code end
  local content = { items = {}, by_name = {}, parameters = description.parameters, bytes = 0,
    matrices = description.matrices }
  local function add(item)
    content.items[#content.items + 1], content.by_name[item.name] = item, item
    content.bytes, item.key = content.bytes + item.bytes, natural(item.name)
  end
  for _, name in ipairs(description.plain) do
    local item, why, id = plain_item(model, name)
    if not item then return nil, why, id end
    add(item)
  end
  for name, m in pairs(description.matrices) do add(packed_item(model, name, m)) end
  table.sort(content.items, function(a, b)
    if a.key ~= b.key then return a.key < b.key end
    return a.name < b.name
  end)
  return content
end

--- The item of that name.
-- @return item, or nil, message, "not_found" with the nearest name there is
function M.find(content, model, name)
  local item = content.by_name[name]
  if item then return item end
  local names = {}
  for i, other in ipairs(content.items) do names[i] = other.name end
  return nil, ("%s: no tensor '%s'%s"):format(model.path, name, check.hint(name, names)),
    "not_found"
end

--- Whether a tensor holds numbers that we decode.
function M.is_decoded(item)
  if item.matrix or plain[item.dtype] then return true end
  return quant.codecs()[item.codec] ~= nil and types.of_dtype(item.dtype) ~= nil
end

-- Calls visit(first value, count) for pieces of whole rows, a multiple of `rows` of them where that
-- is given; or within one row when it is long.
local function pieces(item, rows, visit)
  if item.count == 0 then return true end
  local unit = item.cols * (rows or 1)
  local split = rows == nil and item.cols > PIECE
  local step = split and PIECE or math.max(1, PIECE // unit) * unit
  local at = 0
  while at < item.count do
    local count = math.min(step, item.count - at)
    if split then count = math.min(count, item.cols - at % item.cols) end
    local ok, message, code = visit(at, count)
    if not ok then return nil, message, code end
    at = at + count
  end
  return true
end

-- Values of a piece as they are stored.
local function stored(item, tensor, first, count)
  local kind = types.of_dtype(item.dtype)
  return tensor.slice:slice(first // kind.block * kind.bytes, count // kind.block * kind.bytes)
end

local function decode_stored(item, slice, count)
  if plain[item.dtype] then return quant.widen(plain[item.dtype], slice) end
  return quant.decode_blocks(item.codec, slice, count, { threads = sys.cores() })
end

-- What was decoded is not read again, so its pages may go.
local function decode(model, item, tensor, first, count)
  if item.matrix then
    return rows_of_matrix.read(model, item.name, item.matrix, first // item.cols,
      count // item.cols)
  end
  local slice = stored(item, tensor, first, count)
  local values, message, code = decode_stored(item, slice, count)
  slice:release()
  return values, message, code
end

local function complain(model, item, message, code)
  if code == "interrupted" then return nil, message, code end
  return nil, ("%s: tensor '%s': %s"):format(model.path, item.name, message), code
end

--- Passes over a tensor's values.
-- @param model an open model
-- @param item of its content
-- @param rows integer, so that pieces are whole multiples of so many rows, or nil
-- @param visit function(f32 buffer, first value counted from 0) -> true | nil, message, code
-- @return true, or nil, message, code; "unsupported" of what holds no numbers that we decode
function M.each(model, item, rows, visit)
  if not M.is_decoded(item) then
    return complain(model, item, ("is %s, which is not decoded"):format(item.codec), "unsupported")
  end
  local tensor = not item.matrix and model:tensor(item.name) or nil
  return pieces(item, rows, function(first, count)
    local values, message, code = decode(model, item, tensor, first, count)
    if not values then return complain(model, item, message, code) end
    return visit(values, first)
  end)
end

local LARGEST_F16 <const> = 65519.996 -- rounds to the largest finite f16

-- Finite numbers stay finite: what f16 cannot hold is refused, not made infinite.
local function narrow(model, item, dtype, values)
  if dtype == "f32" then return values end
  if dtype == "f16" then
    local s = statistics.new()
    local ok, message, code = s:add(values)
    if not ok then return nil, message, code end
    local r = s:summary()
    local largest = math.max(r.max or 0, -(r.min or 0))
    if largest > LARGEST_F16 then
      return complain(model, item, ("%g does not fit f16; take bf16 or f32"):format(largest),
        "model_dtype")
    end
  end
  return quant.narrow(dtype, values)
end

--- Passes over a tensor's bytes as they are stored; not of packed matrices.
-- @param visit function(slice, its size, first value) -> true | nil, message, code
-- @return as M.each
function M.each_stored(model, item, rows, visit)
  local tensor, message, code = model:tensor(item.name)
  if not tensor then return nil, message, code end
  if not types.of_dtype(item.dtype) then return visit(tensor.slice, tensor.size, 0) end
  return pieces(item, rows, function(first, count)
    local slice = stored(item, tensor, first, count)
    local ok, why, id = visit(slice, slice:size(), first)
    slice:release()
    return ok, why, id
  end)
end

--- Passes over a tensor's values in another type, or as they are.
-- @param dtype "f32", "f16" or "bf16"
-- @param visit function(bytes, their size, first value) -> true | nil, message, code
-- @return as M.each
function M.each_as(model, item, dtype, rows, visit)
  if not item.matrix and plain[item.dtype] == dtype then
    return M.each_stored(model, item, rows, visit)
  end
  return M.each(model, item, rows, function(values, first)
    local narrowed, message, code = narrow(model, item, dtype, values)
    if not narrowed then return nil, message, code end
    return visit(narrowed, narrowed:bytes_size(), first)
  end)
end

--- A tensor's values whole; for small tensors.
-- @return f32 buffer, or nil, message, code
function M.floats(model, item)
  local parts = {}
  local ok, message, code = M.each(model, item, nil, function(values)
    parts[#parts + 1] = values:text()
    return true
  end)
  if not ok then return nil, message, code end
  return buffer.from("f32", table.concat(parts))
end

return M
