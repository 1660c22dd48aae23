-- What was tried over time: a point each, coloured by what became of it, and the best so far.
local axis = require "bittern.chart.axis"
local frames = require "bittern.chart.frame"

local M = {}

local LEGEND <const> = {
  { name = "accepted", class = "good" }, { name = "waiting", class = "wait" },
  { name = "rejected", class = "bad" },
}

-- The best accepted number so far, as steps.
local function best_so_far(points, x_of, y_of, sign, right)
  local way, best = {}, nil
  for _, point in ipairs(points) do
    if point.class == "good" and (not best or sign * point.value < sign * best) then
      if best then way[#way + 1] = { x_of(point.at), y_of(best) } end
      best = point.value
      way[#way + 1] = { x_of(point.at), y_of(best) }
    end
  end
  if best then way[#way + 1] = { right, y_of(best) } end
  return way
end

--- Draws submissions.
-- @param options {title, about, heading, y_title, maximize = more is better, points = array of
--   {at = seconds since 1970, value, class = "good", "bad" or "wait", tip}, oldest first}
-- @return canvas
function M.draw(options)
  local times, values = {}, {}
  for i, point in ipairs(options.points) do times[i], values[i] = point.at, point.value end
  local x_axis, y_axis = axis.time(times), axis.linear(values)
  local canvas, frame = frames.new { height = 300, title = options.title, about = options.about,
    heading = options.heading, x = x_axis, y = y_axis, x_title = "time, UTC",
    y_title = options.y_title, legend = LEGEND }
  local function x_of(at) return frame.x(x_axis.at(at)) end
  local function y_of(value) return frame.y(y_axis.at(value)) end
  local way = best_so_far(options.points, x_of, y_of, options.maximize and -1 or 1, frame.right)
  if #way > 0 then canvas:polyline(way, "way l1") end
  for _, point in ipairs(options.points) do
    canvas:circle(x_of(point.at), y_of(point.value), 5, point.class, point.tip)
  end
  return canvas
end

return M
