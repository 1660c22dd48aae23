-- The first pass: what each row loses at the low-bit codec and at q4.
local buffer = require "core.buffer"

local layout = require "bittern.artifact.layout"
local tiles = require "bittern.compress.tiles"

local M = {}

--- Whether an item's rescued rows are to be chosen by their errors.
function M.is_wanted(item)
  if item.kind ~= "pack" then return false end
  return item.rescue == "budget" or item.rescue > 0 and item.rescue < item.rows
end

--- Squared errors of each row of a matrix.
-- @param tensor of an open model
-- @param item of a plan
-- @return {low = f32 buffer, rescued = f32 buffer, total = sum of low}, or nil, message, code
function M.matrix(tensor, item)
  local stats = {
    low = buffer.new("f32", item.rows), rescued = buffer.new("f32", item.rows), total = 0.0,
  }
  local ok, message, code = tiles.each(tensor, function(weights, first, count)
    local function number_of(row) return first + row end
    local low, why, id = tiles.encode(item, item.codec, weights, number_of)
    if not low then return nil, why, id end
    local high, reason, kind = tiles.encode(item, layout.RESCUE, weights, number_of)
    if not high then return nil, reason, kind end
    for row = 0, count - 1 do
      stats.low:set(first + row, low.errors:get(row))
      stats.rescued:set(first + row, high.errors:get(row))
      stats.total = stats.total + low.errors:get(row)
    end
    return true
  end)
  if not ok then return nil, message, code end
  return stats
end

return M
