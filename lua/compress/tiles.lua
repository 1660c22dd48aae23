-- Rows of a matrix in pieces of bounded size: memory stays small whatever the model, and nothing is
-- copied on the way from the file to the kernels.
local buffer = require "core.buffer"
local quant = require "core.quant"

local layout = require "bittern.artifact.layout"

local M = {}

local TILE_BYTES <const> = 32 << 20
-- Matrices up to this size are fitted to as a whole where a fit looks at all rows.
local WHOLE_BYTES <const> = 192 << 20

local widths = { F32 = 4, F16 = 2, BF16 = 2 }

local function row_size(tensor)
  return tensor.shape[2] * widths[tensor.dtype]
end

--- Calls visit(tile) for each run of rows, until it returns nil. What was seen leaves the memory,
-- what comes next is asked of the disk.
-- @param tensor of an open model {name, dtype, shape, slice}
-- @param visit function({bytes = slice, dtype, first = row counted from 0, rows, cols})
--   -> true | nil, message, code
-- @return true, or nil, message, code
function M.each(tensor, visit)
  local rows, size = tensor.shape[1], row_size(tensor)
  local step = math.max(1, TILE_BYTES // size)
  local function piece(first)
    return tensor.slice:slice(first * size, math.min(step, rows - first) * size)
  end
  local ahead = piece(0)
  for first = 0, rows - 1, step do
    local tile = { bytes = ahead, dtype = tensor.dtype:lower(), first = first,
      rows = math.min(step, rows - first), cols = tensor.shape[2] }
    if first + step < rows then
      ahead = piece(first + step)
      ahead:prefetch()
    end
    local ok, message, code = visit(tile)
    if not ok then return nil, message, code end
    tile.bytes:release()
  end
  return true
end

--- Some rows of a tile, read where they lie.
-- @param numbers i32 buffer of ascending row numbers within it
function M.pick(tile, numbers)
  return { bytes = tile.bytes, dtype = tile.dtype, first = tile.first, rows = tile.rows,
    cols = tile.cols, numbers = numbers }
end

-- Complaints of the encoder name a row of the tile; people want that of the matrix.
local function complain(item, tile, message, code)
  if code == "interrupted" then return nil, message, code end
  message = message:gsub("^row (%d+)", function(text)
    return ("row %d"):format(tile.first + math.tointeger(text))
  end)
  return nil, ("tensor '%s': %s"):format(item.name, message), code
end

--- Encodes the rows of a tile.
-- @param item of a plan, for messages
-- @param tile see M.each and M.pick
-- @param choice {codec, group, scale, iterations, bases, offsets}
-- @param how {threads, importance = f32 buffer or nil, columns = f16 buffer or nil, errors_only,
--   norms, into = what was returned before and is not wanted any more}
-- @return as quant.encode, or nil, message, code
function M.encode(item, tile, choice, how)
  local options = { dtype = tile.dtype, threads = how.threads, importance = how.importance,
    errors_only = how.errors_only, norms = how.norms, rows = tile.numbers, into = how.into }
  if choice.codec ~= layout.RESCUE then
    options.scale, options.iterations = choice.scale, choice.iterations
    options.group, options.columns = choice.group, how.columns
    options.bases = choice.bases > 1 and choice.bases or nil
    options.offsets = choice.offsets or nil
  end
  local done, message, code = quant.encode(choice.codec, tile.bytes, tile.rows, tile.cols, options)
  if done then return done end
  return complain(item, tile, message, code)
end

-- Every so many-th row, as many as are looked at together.
local function sample(tensor)
  if tensor.size <= WHOLE_BYTES then return nil end
  local rows, size = tensor.shape[1], row_size(tensor)
  local step = (rows * size + WHOLE_BYTES - 1) // WHOLE_BYTES
  local numbers = buffer.new("i32", (rows + step - 1) // step)
  for i = 0, #numbers - 1 do numbers:set(i, i * step) end
  return numbers
end

--- Fits scales of the columns; those of a very large matrix to an even sample of its rows.
-- @return f16 buffer, or nil, message, code
function M.column_scales(item, tensor, choice, how)
  local tile = { bytes = tensor.slice, dtype = tensor.dtype:lower(), rows = tensor.shape[1],
    cols = tensor.shape[2], first = 0 }
  local scales, message, code = quant.column_scales(choice.codec, tile.bytes, tile.rows, tile.cols,
    { dtype = tile.dtype, threads = how.threads, importance = how.importance,
      rows = sample(tensor), group = choice.group, iterations = choice.iterations })
  tensor.slice:release()
  if scales then return scales end
  return complain(item, tile, message, code)
end

return M
