-- Writes the tensors of a planned conversion, piece by piece.
local buffer = require "core.buffer"
local quant = require "core.quant"
local sys = require "core.sys"

local content = require "bittern.inspect.content"
local naming = require "bittern.model.naming"
local types = require "bittern.model.gguf.types"

local M = {}

local plain = { F32 = "f32", F16 = "f16", BF16 = "bf16" }

-- The rows of a piece, which is whole heads, in their new order.
local function reordered(entry, item, bytes, size, first)
  local kind = types.of_dtype(entry.dtype)
  local row_bytes = item.cols // kind.block * kind.bytes
  local numbers, start = buffer.new("i32", size // row_bytes), first // item.cols
  for row = 0, #numbers - 1 do
    numbers:set(row, naming.source_row(start + row, item.rows, entry.heads, entry.direction)
      - start)
  end
  return assert(quant.gather(bytes, row_bytes, numbers))
end

-- Complaints of the encoder name a row of the piece; people want that of the tensor.
local function encode(model, entry, item, options, values, first)
  local cols = math.min(item.cols, #values)
  local packed, message, code = quant.encode_blocks(entry.dtype, values, cols,
    { fit = entry.fit or options.fit, threads = sys.cores() })
  if packed or code == "interrupted" then return packed, message, code end
  message = message:gsub("row (%d+)", function(row)
    return ("row %d"):format(first // item.cols + math.tointeger(row))
  end)
  return nil, ("%s: tensor '%s': %s"):format(model.path, item.name, message), code
end

-- Passes over a tensor in the type that it shall have: visit(bytes, size, first value).
local function each(model, entry, item, options, rows, visit)
  local dtype = entry.dtype
  if not item.matrix and dtype == item.dtype then
    return content.each_stored(model, item, rows, visit)
  end
  if plain[dtype] then return content.each_as(model, item, plain[dtype], rows, visit) end
  return content.each(model, item, rows, function(values, first)
    local packed, message, code = encode(model, entry, item, options, values, first)
    if not packed then return nil, message, code end
    return visit(packed, packed:bytes_size(), first)
  end)
end

-- A vector whose values move with the heads is a matrix of one column.
local function as_rows(item)
  if #item.shape ~= 1 then return item end
  return setmetatable({ rows = item.count, cols = 1 }, { __index = item })
end

local function put(file, model, entry, options, on_values)
  local item = entry.heads and as_rows(entry.item) or entry.item
  local rows = entry.heads and item.rows // entry.heads or nil
  return each(model, entry, item, options, rows, function(bytes, size, first)
    if entry.heads then bytes = reordered(entry, item, bytes, size, first) end
    on_values(first)
    return file:put(entry.name, bytes, size)
  end)
end

local function put_once(file, model, entry, options, on_values)
  if file:holds(entry.name) then return true end
  local ok, message, code = put(file, model, entry, options, on_values)
  if not ok then return nil, message, code end
  return file:done(entry.name)
end

--- Writes all tensors that are not there and gives the file its name.
-- @param file of bittern.model.placed or one like it
-- @param model the open model
-- @param plan as bittern.convert.plan makes it
-- @param options {fit, on_progress = function(done, total) of values}
-- @return what file:commit gives: bytes of the file, and of an archive its hash; or nil, message,
--   code
function M.all(file, model, plan, options)
  local total, done = 0, 0
  for _, entry in ipairs(plan) do total = total + entry.item.count end
  for _, entry in ipairs(plan) do
    local ok, message, code = put_once(file, model, entry, options, function(first)
      if options.on_progress then options.on_progress(done + first, total) end
    end)
    if not ok then return nil, message, code end
    done = done + entry.item.count
  end
  return file:commit()
end

return M
