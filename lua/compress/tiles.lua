-- Rows of a matrix in pieces of bounded size: memory stays small whatever the model.
local buffer = require "core.buffer"
local quant = require "core.quant"

local M = {}

local TILE_BYTES <const> = 16 << 20 -- of f32 values

local widths = { F32 = 4, F16 = 2, BF16 = 2 }

--- Calls visit(weights, first, count) for each run of rows, until it returns nil.
-- @param tensor of an open model {name, dtype, shape, slice}
-- @param visit function(f32 buffer, first row counted from 0, rows) -> true | nil, message, code
-- @return true, or nil, message, code
function M.each(tensor, visit)
  local rows, cols = tensor.shape[1], tensor.shape[2]
  local row_bytes = cols * widths[tensor.dtype]
  local step = math.max(1, TILE_BYTES // (4 * cols))
  for first = 0, rows - 1, step do
    local count = math.min(step, rows - first)
    local piece = tensor.slice:slice(first * row_bytes, count * row_bytes)
    local weights = quant.widen(tensor.dtype:lower(), piece)
    local ok, message, code = visit(weights, first, count)
    if not ok then return nil, message, code end
  end
  return true
end

--- Encodes rows; complaints name the row of the whole matrix.
-- @param item of a plan: codec options; its name is for messages
-- @param codec string
-- @param weights f32 buffer
-- @param number_of function(row in `weights`) -> row of the matrix
-- @return as quant.encode
function M.encode(item, codec, weights, number_of)
  local options = { scale = item.scale, iterations = item.iterations }
  if codec == item.codec then options.group = item.group end
  local rows = #weights // item.cols
  local done, message, code = quant.encode(codec, weights, rows, item.cols, options)
  if done or code == "interrupted" then return done, message, code end
  message = message:gsub("^row (%d+)", function(row)
    return ("row %d"):format(number_of(math.tointeger(row)))
  end)
  return nil, ("tensor '%s': %s"):format(item.name, message), code
end

--- Rows of a tile as a buffer of their own.
-- @param weights f32 buffer of rows of `cols`
-- @param rows i32 buffer of row numbers within it
function M.pick(weights, cols, rows)
  return buffer.from("f32", assert(quant.gather(weights, 4 * cols, rows)))
end

return M
