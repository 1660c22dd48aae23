-- Some rows of a packed matrix as ordinary numbers, without decoding the others.
local buffer = require "core.buffer"
local quant = require "core.quant"

local layout = require "bittern.artifact.layout"
local stored = require "bittern.artifact.stored"

local M = {}

-- How many of the ascending rescued rows come before a row.
local function rescued_before(m, row)
  local low, high = 0, m.rescued
  while low < high do
    local middle = (low + high) // 2
    if m.rows:get(middle) < row then low = middle + 1 else high = middle end
  end
  return low
end

-- Where rows go within first..first+count-1 that are rescued, or that are not; and how many of the
-- rescued ones come before.
local function numbers_within(m, first, count, rescued)
  local from, to = rescued_before(m, first), rescued_before(m, first + count)
  local list = buffer.new("i32", rescued and to - from or count - (to - from))
  local at, next_rescued = 0, from
  for row = first, first + count - 1 do
    local is_rescued = next_rescued < to and m.rows:get(next_rescued) == row
    if is_rescued then next_rescued = next_rescued + 1 end
    if is_rescued == rescued then
      list:set(at, row - first)
      at = at + 1
    end
  end
  return list, from
end

-- Decodes the rows of one kind into their places in `out`.
local function fill(out, model, name, m, first, count, rescued)
  local numbers, before = numbers_within(m, first, count, rescued)
  if #numbers == 0 then return true end
  local prefix, kind, start = name, m, first - before
  if rescued then
    prefix, start = name .. ".rescue", before
    kind = layout.rescue(m)
  end
  local values, message, code = stored.decode(model, prefix, kind, start, #numbers)
  if not values then return nil, message, code end
  return quant.scatter(out, m.shape[2], numbers, values)
end

--- Some rows of a matrix.
-- @param model an open model
-- @param name string
-- @param m its entry in packed.describe
-- @param first row, counted from 0
-- @param count of rows
-- @return f32 buffer [count, columns], or nil, message, code
function M.read(model, name, m, first, count)
  if m.rescued == 0 then return stored.decode(model, name, m, first, count) end
  local out = buffer.new("f32", count * m.shape[2])
  for _, rescued in ipairs { false, true } do
    local ok, message, code = fill(out, model, name, m, first, count, rescued)
    if not ok then return nil, message, code end
  end
  return out
end

return M
