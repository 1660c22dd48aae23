-- Packed models made byte by byte, so that every codec, base, offset and column scale is at hand,
-- and a test can make any of them wrong.
local quant = require "core.quant"

local json = require "bittern.json"
local layout = require "bittern.artifact.layout"
local small_model = require "tests.small_model"

local M = {}

-- Nearly any bytes are codes; scales are small numbers.
local codes = quant.narrow("f16", small_model.numbers(8192, 7)):text()
  .. quant.narrow("bf16", small_model.numbers(8192, 9)):text()
local scales = quant.narrow("f16", small_model.numbers(4096, 3)):text()

-- Two bits that say 3 are no ternary value.
local ternary = {}
for byte = 0, 255 do
  local fixed = byte & ~(byte >> 1 & byte & 0x55)
  ternary[string.char(byte)] = string.char(fixed)
end

local function bytes_of(tensor, codec, rows, at)
  local count = 1
  for _, size in ipairs(tensor.shape) do count = count * size end
  if tensor.dtype == "U8" then
    local text = codes:sub(at + 1, at + count)
    return codec == "t2" and not tensor.name:find("%.rescue%.") and text:gsub(".", ternary) or text
  end
  if tensor.dtype == "F16" then return scales:sub(2 * at + 1, 2 * (at + count)) end
  return ("<" .. ("i4"):rep(count)):pack(table.unpack(rows))
end

--- The tensors of a matrix, with bytes that decode.
-- @param name string
-- @param m as layout.tensors
-- @param rows array of the rescued rows' numbers
-- @param seed integer below 1000
-- @return array of {name, dtype, shape, text}
function M.tensors(name, m, rows, seed)
  local list = layout.tensors(name, m)
  for i, tensor in ipairs(list) do
    tensor.text = bytes_of(tensor, m.codec, rows, (seed or 0) + 31 * i)
  end
  return list
end

--- Metadata of a packed model.
-- @param plan {name = m}, or the text of a plan
function M.metadata(plan, version)
  local text = plan
  if type(plan) == "table" then
    local matrices = {}
    for name, m in pairs(plan) do matrices[name] = layout.described(m) end
    text = assert(json.encode(matrices))
  end
  return { format = "bittern", version = version or "1", plan = text }
end

--- A directory with one packed matrix per {name, m, rows}.
-- @param matrices array
-- @param options as small_model.write; `plain` = array of further tensors
-- @return its path
function M.write(matrices, options)
  options = options or {}
  local tensors, plan = table.move(options.plain or {}, 1, #(options.plain or {}), 1, {}), {}
  for i, matrix in ipairs(matrices) do
    local list = M.tensors(matrix[1], matrix[2], matrix[3], i)
    table.move(list, 1, #list, #tensors + 1, tensors)
    plan[matrix[1]] = matrix[2]
  end
  return small_model.write(tensors, { metadata = M.metadata(plan), dir = options.dir,
    config = options.config, files = options.files })
end

local groups = { { "b1", 0, 7 }, { "t2", 0, 64 }, { "t5", 0, 7 }, { "q4", 0 } }

local function features(codec)
  local list = { { bases = 1 } }
  if codec == "q4" then return list end
  for bases = 2, 4 do list[#list + 1] = { bases = bases } end
  if codec ~= "b1" then list[#list + 1] = { bases = 1, offsets = true } end
  for i = 1, #list do
    list[#list + 1] = { bases = list[i].bases, offsets = list[i].offsets, columns = true }
  end
  return list
end

local rescues = { {}, { 1, 4 }, { 0, 1, 2, 3, 4 } }

--- Every codec x bases x offsets x column scales x groups x rescued rows x odd widths, five rows
-- each.
-- @return array of {name, m, rows}
function M.everything()
  local list = {}
  local function add(codec, group, cols, feature, rows)
    local m = { codec = codec, group = math.min(group, cols), shape = { 5, cols },
      rescued = #rows, bases = feature.bases, offsets = feature.offsets, columns = feature.columns }
    list[#list + 1] = { ("w%03d.%s"):format(#list + 1, codec), m, rows }
  end
  local function add_all(codec, group, cols)
    for _, feature in ipairs(features(codec)) do
      for i = 1, codec == "q4" and 1 or #rescues do add(codec, group, cols, feature, rescues[i]) end
    end
  end
  for _, case in ipairs(groups) do
    for i = 2, #case do
      for _, cols in ipairs { 1, 9, 129, 300 } do add_all(case[1], case[i], cols) end
    end
  end
  return list
end

return M
