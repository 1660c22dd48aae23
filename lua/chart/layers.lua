-- Numbers of a model's layers: stacked columns where they add up, dots where they do not.
local axis = require "bittern.chart.axis"
local frames = require "bittern.chart.frame"
local palette = require "bittern.chart.palette"

local M = {}

-- Every number of every series, as {series, layer, number, tip, colour}.
local function cells(series)
  local list = {}
  for s, one in ipairs(series) do
    for layer, value in pairs(one.values) do
      list[#list + 1] = { s, layer, value, one.tips and one.tips[layer], one.color or s }
    end
  end
  table.sort(list, function(a, b)
    if a[2] ~= b[2] then return a[2] < b[2] end
    return a[1] < b[1]
  end)
  return list
end

local function begin(options, y_axis)
  local legend = {}
  for s, one in ipairs(options.series) do
    legend[s] = { name = one.name, class = palette.class("s", one.color or s) }
  end
  return frames.new { title = options.title, about = options.about, heading = options.heading,
    x = options.x, y = y_axis, x_title = "layer", y_title = options.y_title,
    legend = legend }
end

--- Columns of bytes, one a layer, made of the series.
-- @param options {title, about, heading, y_title, names = of the layers, series = array of {name,
--   values = {[layer] = bytes}, tips = {[layer] = words}, color = number, else its place}}
-- @return canvas
function M.stacked(options)
  local sums, list = {}, cells(options.series)
  for i = 1, #options.names do sums[i] = 0 end
  for _, cell in ipairs(list) do sums[cell[2]] = sums[cell[2]] + cell[3] end
  sums[#sums + 1] = 0
  local y_axis, unit = axis.bytes(sums, { from = 0, margin = 0.02 })
  options.x, options.y_title = axis.names(options.names), options.y_title .. ", " .. unit
  local canvas, frame = begin(options, y_axis)
  local heights, room = {}, options.x.band * (frame.right - frame.left)
  local width = math.min(64, room * 0.76)
  for _, cell in ipairs(list) do
    local from = heights[cell[2]] or 0
    heights[cell[2]] = from + cell[3]
    local top, bottom = frame.y(y_axis.at(from + cell[3])), frame.y(y_axis.at(from))
    canvas:rect(frame.x(options.x.at(cell[2])) - width / 2, top, width, bottom - top,
      palette.class("s", cell[5]), cell[4])
  end
  return canvas
end

local function draw_way(canvas, points, class)
  if #points > 1 then canvas:polyline(points, class) end
end

--- Dots, one for each number, those of a series joined from layer to layer.
-- @param options as M.stacked takes them; numbers may be below zero
-- @return canvas
function M.dots(options)
  local values, list = { 0 }, cells(options.series)
  for _, cell in ipairs(list) do values[#values + 1] = cell[3] end
  local y_axis = axis.linear(values, { from = math.min(table.unpack(values)) >= 0 and 0 or nil })
  options.x = axis.names(options.names)
  local canvas, frame = begin(options, y_axis)
  canvas:line(frame.left, frame.y(y_axis.at(0)), frame.right, frame.y(y_axis.at(0)), "axis")
  local ways = {}
  for _, cell in ipairs(list) do
    local x, y = frame.x(options.x.at(cell[2])), frame.y(y_axis.at(cell[3]))
    ways[cell[1]] = ways[cell[1]] or {}
    table.insert(ways[cell[1]], { x, y })
  end
  for s, one in ipairs(options.series) do
    draw_way(canvas, ways[s] or {}, "way " .. palette.class("l", one.color or s))
  end
  for _, cell in ipairs(list) do
    canvas:circle(frame.x(options.x.at(cell[2])), frame.y(y_axis.at(cell[3])), 3.5,
      palette.class("s", cell[5]), cell[4])
  end
  return canvas
end

return M
