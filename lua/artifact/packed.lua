-- Reading packed artifacts: which matrices a model holds, whether all of their parts are there and
-- fit, how many parameters that makes, and their ordinary numbers.
local buffer = require "core.buffer"
local quant = require "core.quant"

local check = require "bittern.check"
local json = require "bittern.json"
local layout = require "bittern.artifact.layout"

local M = {}

local TILE_BYTES <const> = 16 << 20 -- of f32 values that are decoded at once
local MOST_ROWS <const> = (1 << 31) - 1 -- row numbers are I32

local function bad(model, format, ...)
  return nil, model.path .. ": " .. format:format(...), "invalid_artifact"
end

-- What a plan may say of a matrix.
local function check_matrix(model, name, m)
  local function fault(text) return bad(model, "plan of '%s': %s", name, text) end
  if type(m) ~= "table" then return fault("is not an object") end
  if type(m.codec) ~= "string" or not (quant.codecs()[m.codec] or {}).group then
    return fault(("unknown codec '%s'"):format(tostring(m.codec)))
  end
  local shape = type(m.shape) == "table" and m.shape or {}
  local rows, cols = math.tointeger(shape[1]), math.tointeger(shape[2])
  if not rows or not cols or #shape ~= 2 or rows < 1 or cols < 1 or rows > MOST_ROWS
    or cols > MOST_ROWS then
    return fault("shape must be two sizes from 1 on")
  end
  local group, rescued = math.tointeger(m.group), math.tointeger(m.rescued)
  if not group or group < 0 or group > cols then return fault("bad group") end
  if not rescued or rescued < 0 or rescued > rows then return fault("bad count of rescued rows") end
  if m.codec == layout.RESCUE and (rescued > 0 or group > 0) then
    return fault("q4 has neither groups nor rescued rows")
  end
  return { codec = m.codec, group = group, shape = { rows, cols }, rescued = rescued }
end

local function same_shape(a, b)
  if #a ~= #b then return false end
  for i, size in ipairs(a) do
    if size ~= b[i] then return false end
  end
  return true
end

-- Every tensor of the matrix is there as its plan says; they are taken off `left`.
local function claim_tensors(model, name, m, left)
  if left[name] then return bad(model, "'%s' is stored both packed and plain", name) end
  for _, part in ipairs(layout.tensors(name, m)) do
    local tensor, message = model:tensor(part.name)
    if not tensor then return nil, message, "invalid_artifact" end
    if tensor.dtype ~= part.dtype or not same_shape(tensor.shape, part.shape) then
      return bad(model, "'%s' is %s [%s], its plan needs %s [%s]", part.name, tensor.dtype,
        table.concat(tensor.shape, ", "), part.dtype, table.concat(part.shape, ", "))
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
    if row <= last then return bad(model, "rescued rows of '%s' do not ascend", name) end
    if row >= m.shape[1] then
      return bad(model, "rescued row %d of '%s' is outside of %d rows", row, name, m.shape[1])
    end
    last = row
  end
  return rows
end

-- The plan in a model's metadata: {matrix name = as the file says}, empty for a dense model.
local function read_plan(model)
  local metadata = model.metadata or {}
  if metadata.format ~= layout.FORMAT then return {} end
  if metadata.version ~= layout.VERSION then
    return bad(model, "packed format version '%s' is not known; this bittern reads %s",
      tostring(metadata.version), layout.VERSION)
  end
  local plan, message = json.decode(metadata.plan or "")
  if type(plan) ~= "table" then return bad(model, "its plan is broken: %s", tostring(message)) end
  return plan
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

local function read_matrices(model, left)
  local plan, message, code = read_plan(model)
  if not plan then return nil, message, code end
  local matrices = {}
  for _, name in ipairs(check.sorted_keys(plan)) do
    local m, why, id = check_matrix(model, name, plan[name])
    if not m then return nil, why, id end
    local ok, reason, kind = claim_tensors(model, name, m, left)
    if not ok then return nil, reason, kind end
    if m.rescued > 0 then
      m.rows, reason, kind = rescue_rows(model, name, m)
      if not m.rows then return nil, reason, kind end
    end
    matrices[name] = m
  end
  return matrices
end

--- What a model holds, packed or not, with every name, shape and row number checked.
-- @param model an open model
-- @return {matrices = {name = {codec, group, shape, rescued, rows}}, plain = sorted names of the
--   other tensors, parameters = as a validator counts them}, or nil, message, code
function M.describe(model)
  local left = {}
  for _, name in ipairs(model.names) do left[name] = true end
  local matrices, message, code = read_matrices(model, left)
  if not matrices then return nil, message, code end
  local plain = check.sorted_keys(left)
  local total, why, id = count_plain(model, plain)
  if not total then return nil, why, id end
  for _, m in pairs(matrices) do total = total + m.shape[1] * m.shape[2] end
  return { matrices = matrices, plain = plain, parameters = total }
end

--- Parameters of the model that a validator loads.
-- @return integer, or nil, message, code
function M.parameters(model)
  local description, message, code = M.describe(model)
  return description and description.parameters, message, code
end

local function part(model, name, suffix)
  local tensor, message, code = model:tensor(name .. "." .. suffix)
  if not tensor then return nil, message, code end
  return tensor.slice
end

-- Decodes the rows stored under a prefix tile by tile: visit(f32 buffer, first row, rows).
local function decode_tiles(model, prefix, m, visit)
  local rows, cols = m.shape[1], m.shape[2]
  local codes, scales = part(model, prefix, "codes"), part(model, prefix, "scales")
  local code_bytes, scale_bytes = quant.row_bytes(m.codec, cols), 2 * layout.groups(m, cols)
  local step = math.max(1, TILE_BYTES // (4 * cols))
  for first = 0, rows - 1, step do
    local n = math.min(step, rows - first)
    local values, message, code = quant.decode(m.codec,
      codes:slice(first * code_bytes, n * code_bytes),
      scales:slice(first * scale_bytes, n * scale_bytes), n, cols, { group = m.group })
    if not values then
      if code == "interrupted" then return nil, message, code end
      return bad(model, "'%s', tile at row %d: %s", prefix, first, message)
    end
    visit(values, first, n)
  end
  return true
end

-- The kept and the rescued rows as matrices of their own.
local function halves(name, m)
  local kept = { codec = m.codec, group = m.group, shape = { m.shape[1] - m.rescued, m.shape[2] } }
  local rescue = { codec = layout.RESCUE, group = 0, shape = { m.rescued, m.shape[2] } }
  return { { name, kept }, { name .. ".rescue", rescue } }
end

--- Decodes a matrix and drops it: whether it can be, within little memory.
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
    local values, message, code = quant.decode(m.codec, part(model, name, "codes"),
      part(model, name, "scales"), rows, cols, { group = m.group })
    if values or code == "interrupted" then return values, message, code end
    return bad(model, "'%s': %s", name, message)
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
