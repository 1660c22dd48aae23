-- Size against perplexity: which points nothing else beats. bittern.chart.frontier draws them.
local M = {}

local function beats(a, b)
  return a.bytes <= b.bytes and a.nats <= b.nats and (a.bytes < b.bytes or a.nats < b.nats)
end

-- Whether no other point is as small and as good.
local function is_on_frontier(points, point)
  if not point.nats then return false end
  for _, other in ipairs(points) do
    if other.nats and beats(other, point) then return false end
  end
  return true
end

--- Marks the points that nothing beats in both size and score: point.frontier = boolean.
-- @param points array of {bytes, nats or nil where it could not be measured}
-- @return how many there are
function M.mark(points)
  local count = 0
  for _, point in ipairs(points) do
    point.frontier = is_on_frontier(points, point)
    if point.frontier then count = count + 1 end
  end
  return count
end

return M
