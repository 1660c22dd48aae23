-- Which compressed matrices a model holds: the plan in its metadata, and everything that the plan
-- claims, checked against the tensors that are there.
local buffer = require "core.buffer"
local quant = require "core.quant"

local canonical = require "bittern.canonical"
local check = require "bittern.check"
local layout = require "bittern.artifact.layout"

local M = {}

local MOST_ROWS <const> = (1 << 31) - 1 -- row numbers are I32

local function bad(model, format, ...)
  return nil, model.path .. ": " .. format:format(...), "invalid_artifact"
end

-- Names come from the file: they are shown short and without control characters.
local function shown(name)
  return (tostring(name):sub(1, 200):gsub("%c", "?"))
end

-- The value when it is a whole number in that range.
local function whole(value, low, high)
  return math.type(value) == "integer" and value >= low and value <= high and value or nil
end

local function shape_of(m)
  local shape = m.shape
  if type(shape) ~= "table" or not canonical.is_array(shape) or #shape ~= 2 then return nil end
  local rows, cols = whole(shape[1], 1, MOST_ROWS), whole(shape[2], 1, MOST_ROWS)
  return rows and cols and { rows, cols }
end

local function optional(value, default)
  if value == nil then return default end
  return value
end

local known = { codec = true, group = true, shape = true, rescued = true, bases = true,
  offsets = true, columns = true }

-- What a plan says of a matrix, in numbers that can be trusted; or nil and what is wrong.
local function read_matrix(m)
  if type(m) ~= "table" or canonical.is_array(m) then return nil, "is not an object" end
  for _, key in ipairs(check.sorted_keys(m)) do
    if not known[key] then return nil, ("unknown key '%s'"):format(shown(key)) end
  end
  if type(m.codec) ~= "string" or not (quant.codecs()[m.codec] or {}).group then
    return nil, ("unknown codec '%s'"):format(shown(m.codec))
  end
  local shape = shape_of(m)
  if not shape then return nil, "shape must be two sizes from 1 on" end
  local found = { codec = m.codec, shape = shape, group = whole(m.group, 0, shape[2]),
    rescued = whole(m.rescued, 0, shape[1]),
    bases = whole(optional(m.bases, 1), 1, layout.MOST_BASES),
    offsets = optional(m.offsets, false), columns = optional(m.columns, false) }
  if not found.group then return nil, "bad group" end
  if not found.rescued then return nil, "bad count of rescued rows" end
  if not found.bases then return nil, ("bases must be 1..%d"):format(layout.MOST_BASES) end
  if type(found.offsets) ~= "boolean" or type(found.columns) ~= "boolean" then
    return nil, "offsets and columns are true or false"
  end
  if m.codec == layout.RESCUE and (found.rescued > 0 or found.group > 0) then
    return nil, "q4 has neither groups nor rescued rows"
  end
  local fault = layout.fault(found)
  if fault then return nil, fault end
  return found
end

local function same_shape(a, b)
  if #a ~= #b then return false end
  for i, size in ipairs(a) do
    if size ~= b[i] then return false end
  end
  return true
end

-- Every tensor of the matrix is there as its plan says; they are taken off `left`, so that no bytes
-- stand for two matrices.
local function claim_tensors(model, name, m, left)
  for _, part in ipairs(layout.tensors(name, m)) do
    local tensor = model:tensor(part.name)
    if not tensor then return bad(model, "no tensor '%s'", shown(part.name)) end
    if tensor.dtype ~= part.dtype or not same_shape(tensor.shape, part.shape) then
      return bad(model, "'%s' is %s [%s], its plan needs %s [%s]", shown(part.name), tensor.dtype,
        shown(table.concat(tensor.shape, ", ")), part.dtype, table.concat(part.shape, ", "))
    end
    if not left[part.name] then
      return bad(model, "'%s' is claimed by two matrices", shown(part.name))
    end
    left[part.name] = nil
  end
  return true
end

-- Row numbers ascend and lie inside of the matrix.
local function rescue_rows(model, name, m)
  local tensor, message, code = model:tensor(name .. ".rescue.rows")
  if not tensor then return nil, message, code end
  local rows, last = buffer.from("i32", tensor.slice), -1
  for i = 0, #rows - 1 do
    local row = rows:get(i)
    if row <= last then return bad(model, "rescued rows of '%s' do not ascend", shown(name)) end
    if row >= m.shape[1] then
      return bad(model, "rescued row %d of '%s' is outside of %d rows", row, shown(name),
        m.shape[1])
    end
    last = row
  end
  return rows
end

-- Column scales are finite: a sum is when all that it adds up are.
local function check_columns(model, name)
  local tensor, message, code = model:tensor(name .. ".colscales")
  if not tensor then return nil, message, code end
  local values = quant.widen("f16", tensor.slice)
  if math.abs(values:sum()) < math.huge then return true end
  for column = 0, #values - 1 do
    local value = values:get(column)
    if value ~= value or math.abs(value) == math.huge then
      return bad(model, "'%s.colscales', column %d: scale is not finite", shown(name), column)
    end
  end
end

local function read_one(model, name, planned, left)
  local m, fault = read_matrix(planned)
  if not m then return bad(model, "plan of '%s': %s", shown(name), fault) end
  local ok, message, code = claim_tensors(model, name, m, left)
  if not ok then return nil, message, code end
  if m.rescued > 0 then
    m.rows, message, code = rescue_rows(model, name, m)
    if not m.rows then return nil, message, code end
  end
  if m.columns then
    ok, message, code = check_columns(model, name)
    if not ok then return nil, message, code end
  end
  return m
end

-- The plan: {matrix name = as the file says}, empty for a dense model.
local function read_plan(model)
  local metadata = model.metadata or {}
  if metadata.format ~= layout.FORMAT then return {} end
  if metadata.version ~= layout.VERSION then
    return bad(model, "packed format version '%s' is not known; this bittern reads %s",
      shown(metadata.version), layout.VERSION)
  end
  local plan, message = canonical.decode(metadata.plan or "")
  if type(plan) ~= "table" or next(plan) and canonical.is_array(plan) then
    return bad(model, "its plan is broken: %s", shown(message or "it must be an object"))
  end
  return plan
end

--- The compressed matrices of a model, with every name, shape, number and row checked.
-- @param model an open model
-- @param left set of its tensors' names; those of matrices are taken off
-- @return {name = {codec, group, shape, rescued, bases, offsets, columns, rows = i32 buffer of the
--   rescued ones}}, or nil, message, "invalid_artifact"
function M.read(model, left)
  local plan, message, code = read_plan(model)
  if not plan then return nil, message, code end
  local matrices, names = {}, check.sorted_keys(plan)
  for _, name in ipairs(names) do
    local m, why, id = read_one(model, name, plan[name], left)
    if not m then return nil, why, id end
    matrices[name] = m
  end
  for _, name in ipairs(names) do
    if left[name] then return bad(model, "'%s' is stored both packed and plain", shown(name)) end
  end
  return matrices
end

return M
