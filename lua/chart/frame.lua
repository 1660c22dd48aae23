-- What charts with two axes share: grid, ticks, titles, legend.
local palette = require "bittern.chart.palette"
local svg = require "bittern.chart.svg"

local M = {}

local LEFT <const>, RIGHT <const>, TOP <const>, BOTTOM <const> = 76, 18, 42, 54
local HEADING <const> = 30
-- Sizes of the style sheet, and a generous guess of a letter's width: nobody measures fonts here.
local SMALL <const>, NORMAL <const>, LETTER <const> = 12, 13, 0.6

--- How wide a text will be, at most, nearly always.
-- @param text string
-- @param size of its letters, 12 unless given
function M.text_width(text, size)
  return (utf8.len(text) or #text) * LETTER * (size or SMALL)
end

local function grid(canvas, frame, x_axis, y_axis)
  for _, tick in ipairs(y_axis.ticks) do
    local y = frame.y(tick.at)
    canvas:line(frame.left, y, frame.right, y, "grid")
    canvas:text(frame.left - 8, y + 4, tick.label, "muted", "end")
  end
  local used = 0
  for _, tick in ipairs(x_axis.ticks) do
    local x, half = frame.x(tick.at), M.text_width(tick.label, NORMAL) / 2
    if not x_axis.band then canvas:line(x, frame.top, x, frame.bottom, "grid") end
    local middle = math.max(half, math.min(x, canvas.width - half))
    if middle - half >= used then
      canvas:text(middle, frame.bottom + 19, tick.label, "muted", "middle")
      used = middle + half + 6
    end
  end
  canvas:line(frame.left, frame.bottom, frame.right, frame.bottom, "axis")
end

-- Names of the series, from the right.
local function legend(canvas, frame, items)
  local x = frame.right
  for i = #items, 1, -1 do
    local name = items[i].name
    x = x - M.text_width(name)
    canvas:text(x, frame.top - 16, name, "small")
    canvas:rect(x - 15, frame.top - 25, 10, 10, items[i].class or palette.class("s", i))
    x = x - 28
  end
end

--- Begins a chart.
-- @param options {width = 760, height = 360, title, about, heading, x = axis, y = axis, x_title,
--   y_title, legend = array of {name, class = its own or nil} or nil}
-- @return canvas, frame {left, right, top, bottom, x = function(0..1), y = function(0..1)}
function M.new(options)
  local width, height = options.width or 760, options.height or 360
  local lift = options.heading and HEADING or 0
  local canvas = svg.new { width = width, height = height + lift, title = options.title,
    about = options.about }
  local frame = { left = LEFT, right = width - RIGHT, top = TOP + lift,
    bottom = height + lift - BOTTOM }
  function frame.x(at) return frame.left + at * (frame.right - frame.left) end
  function frame.y(at) return frame.bottom - at * (frame.bottom - frame.top) end
  if options.heading then canvas:text(16, 28, options.title, "heading") end
  grid(canvas, frame, options.x, options.y)
  canvas:text(16, frame.top - 16, options.y_title, "muted")
  canvas:text((frame.left + frame.right) / 2, frame.bottom + 41, options.x_title, "muted", "middle")
  if options.legend then legend(canvas, frame, options.legend) end
  return canvas, frame
end

--- Writes labels beside points where nothing else is written; what has no room has none.
-- @param taken array of boxes {x, y, width, height} that are in use; grows
-- @return whether it was written
function M.label(canvas, frame, taken, x, y, words, class)
  local width, height = M.text_width(words), 14
  local places = { { x + 9, y - 5, "start" }, { x - 9, y - 5, "end" }, { x + 9, y + 15, "start" },
    { x - 9, y + 15, "end" } }
  for _, place in ipairs(places) do
    local left = place[3] == "start" and place[1] or place[1] - width
    local box = { left, place[2] - height + 3, width, height }
    local free = left >= frame.left and left + width <= frame.right + RIGHT - 2
    for _, other in ipairs(taken) do
      free = free and (box[1] + box[3] < other[1] or other[1] + other[3] < box[1]
        or box[2] + box[4] < other[2] or other[2] + other[4] < box[2])
    end
    if free then
      taken[#taken + 1] = box
      canvas:text(place[1], place[2], words, class, place[3])
      return true
    end
  end
  return false
end

return M
