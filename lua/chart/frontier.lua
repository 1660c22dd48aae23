-- Size against perplexity, drawn: what nothing beats, what something does, budget, best known.
local axis = require "bittern.chart.axis"
local frames = require "bittern.chart.frame"

local M = {}

local function numbers(drawing)
  local sizes, ppls = {}, {}
  for i, point in ipairs(drawing.points) do sizes[i], ppls[i] = point.bytes, point.ppl end
  sizes[#sizes + 1] = drawing.budget
  if drawing.known then
    sizes[#sizes + 1], ppls[#ppls + 1] = drawing.known.bytes, drawing.known.ppl
  end
  return sizes, ppls
end

-- Perplexities that are far apart are compared by their factors.
local function ppl_axis(ppls)
  local low, high = math.min(table.unpack(ppls)), math.max(table.unpack(ppls))
  if low > 0 and high / low > 20 then return axis.log(ppls), "perplexity (log)" end
  return axis.linear(ppls), "perplexity"
end

local function about(drawing)
  local count = 0
  for _, point in ipairs(drawing.points) do count = count + (point.frontier and 1 or 0) end
  return ("%d scores; %d of them are beaten by no other in both size and perplexity"):format(
    #drawing.points, count)
end

local function draw_limits(canvas, frame, place, drawing, taken)
  if drawing.budget then
    local x = frame.x(place.x(drawing.budget))
    canvas:line(x, frame.top, x, frame.bottom, "limit bad")
    frames.label(canvas, frame, taken, x, frame.top + 17, "budget", "small")
  end
  if drawing.known then
    local x, y = frame.x(place.x(drawing.known.bytes)), frame.y(place.y(drawing.known.ppl))
    canvas:diamond(x, y, 7, "s2", ("best known: %s, perplexity %.4f"):format(
      axis.size(drawing.known.bytes), drawing.known.ppl))
    frames.label(canvas, frame, taken, x, y, "best known", "small")
  end
end

-- Those of the frontier come first, so that their names have room.
local function draw_points(canvas, frame, place, points, taken)
  local way, later = {}, {}
  for _, point in ipairs(points) do
    local spot = { frame.x(place.x(point.bytes)), frame.y(place.y(point.ppl)), point }
    taken[#taken + 1] = { spot[1] - 5, spot[2] - 5, 10, 10 }
    if point.frontier then way[#way + 1] = spot else later[#later + 1] = spot end
  end
  canvas:polyline(way, "way l1")
  for i, list in ipairs { way, later } do
    for _, spot in ipairs(list) do
      local point = spot[3]
      canvas:circle(spot[1], spot[2], point.best and 7 or 5, i == 1 and "s1" or "beaten",
        ("%s: %s, perplexity %.4f"):format(point.label, axis.size(point.bytes), point.ppl))
      frames.label(canvas, frame, taken, spot[1], spot[2], point.label,
        i == 1 and "small" or "small muted")
    end
  end
end

--- Draws points as SVG.
-- @param drawing {points = array of {bytes, ppl, label, frontier, best}, the smallest first;
--   budget = bytes or nil; known = {bytes, ppl} or nil}
-- @param heading whether the title is drawn, too
-- @return canvas of bittern.chart.svg
function M.draw(drawing, heading)
  local sizes, ppls = numbers(drawing)
  local x_axis, unit = axis.bytes(sizes)
  local y_axis, y_title = ppl_axis(ppls)
  local canvas, frame = frames.new { height = 460, title = "Size against perplexity",
    about = about(drawing), heading = heading, x = x_axis, y = y_axis, x_title = "size, " .. unit,
    y_title = y_title }
  local place, taken = { x = x_axis.at, y = y_axis.at }, {}
  draw_limits(canvas, frame, place, drawing, taken)
  draw_points(canvas, frame, place, drawing.points, taken)
  return canvas
end

--- Draws points for a terminal: `*` nothing beats, `.` something does, `|` budget, `K` best known.
-- @param drawing as M.draw takes it
-- @return array of lines, two more than the height
function M.plot(drawing, width, height)
  local sizes, ppls = numbers(drawing)
  local x_axis, unit = axis.bytes(sizes, { count = 4 })
  local y_axis = ppl_axis(ppls)
  local grid = require("bittern.chart.text").grid(width, height)
  local function put(bytes, ppl, mark) grid:put(x_axis.at(bytes), y_axis.at(ppl), mark) end
  if drawing.budget then grid:column(x_axis.at(drawing.budget), "|") end
  for _, point in ipairs(drawing.points) do
    if not point.frontier then put(point.bytes, point.ppl, ".") end
  end
  if drawing.known then put(drawing.known.bytes, drawing.known.ppl, "K") end
  for _, point in ipairs(drawing.points) do
    if point.frontier then put(point.bytes, point.ppl, "*") end
  end
  return grid:lines(x_axis, y_axis, unit)
end

return M
