-- Shares as horizontal bars, each with its words: how much of a budget is used.
local frames = require "bittern.chart.frame"
local svg = require "bittern.chart.svg"

local M = {}

local WIDTH <const>, ROW <const>, LEFT <const>, RIGHT <const> = 760, 42, 16, 16

local function cut(words, room)
  local most = room // frames.text_width "m"
  if (utf8.len(words) or #words) <= most then return words end
  return words:sub(1, (utf8.offset(words, most // 1) or most) - 1) .. "..."
end

--- Draws shares of 1, each in a row of its own below its name.
-- @param options {title, about, heading, rows = array of {label, share, words, class = "s1", "bad"
--   ...}}; a share above 1 reaches beyond its frame
-- @return canvas
function M.shares(options)
  local top = options.heading and 44 or 8
  local canvas = svg.new { width = WIDTH, height = top + #options.rows * ROW + 8,
    title = options.title, about = options.about }
  if options.heading then canvas:text(LEFT, 28, options.title, "heading") end
  local most = 1
  for _, row in ipairs(options.rows) do most = math.max(most, row.share) end
  local full = (WIDTH - LEFT - RIGHT) / most
  for i, row in ipairs(options.rows) do
    local y = top + (i - 1) * ROW
    local room = WIDTH - LEFT - RIGHT - frames.text_width(row.words) - 20
    canvas:text(LEFT, y + 14, cut(row.label, room), "small")
    canvas:text(WIDTH - RIGHT, y + 14, row.words, "small", "end")
    canvas:rect(LEFT, y + 20, full, 10, "rest")
    canvas:rect(LEFT, y + 20, full * row.share, 10, row.class, row.label .. ": " .. row.words)
  end
  return canvas
end

return M
