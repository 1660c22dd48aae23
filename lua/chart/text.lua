-- Charts for a terminal: a grid of marks between two axes, and bars of blocks.
local M = {}

local Grid = {}
Grid.__index = Grid

-- Room of the labels of the y axis.
local MARGIN <const> = 10

--- An empty grid.
function M.grid(width, height)
  local grid = setmetatable({ width = width, height = height }, Grid)
  for row = 1, height do grid[row] = {} end
  return grid
end

local function cell(at, size)
  return math.max(0, math.min(size - 1, at * (size - 1) // 1)) + 1
end

--- Puts a mark where x and y (0..1, from below) say.
function Grid:put(x, y, mark)
  self[cell(1 - y, self.height)][cell(x, self.width)] = mark
end

--- A mark in every row.
function Grid:column(x, mark)
  for row = 1, self.height do self[row][cell(x, self.width)] = mark end
end

-- Labels below the axis, each under its tick, none over another.
local function below(grid, axis, unit)
  local line = ""
  for _, tick in ipairs(axis.ticks) do
    local label = tick.label
    local from = MARGIN + cell(tick.at, grid.width) - #label // 2
    if from > #line then line = line .. (" "):rep(from - #line) .. label end
  end
  return line .. " " .. unit
end

--- The grid with its axes.
-- @param x_axis, y_axis of bittern.chart.axis
-- @param unit of x
-- @return array of lines
function Grid:lines(x_axis, y_axis, unit)
  local labels, lines = {}, {}
  for _, tick in ipairs(y_axis.ticks) do labels[cell(1 - tick.at, self.height)] = tick.label end
  for row = 1, self.height do
    for column = 1, self.width do self[row][column] = self[row][column] or " " end
    lines[row] = ("%9s |%s"):format(labels[row] or "", table.concat(self[row])):gsub("%s+$", "")
  end
  lines[#lines + 1] = (" "):rep(MARGIN) .. "+" .. ("-"):rep(self.width)
  lines[#lines + 1] = below(self, x_axis, unit)
  return lines
end

local EIGHTHS <const> = { "▏", "▎", "▍", "▌", "▋", "▊", "▉" }

--- A bar of blocks, fine to an eighth of a character.
-- @param share 0..1 of the width
function M.bar(share, width)
  local eighths = math.max(0, math.min(width * 8, (share * width * 8 + 0.5) // 1)) // 1
  eighths = math.tointeger(eighths)
  local bar = ("█"):rep(eighths // 8) .. (EIGHTHS[eighths % 8] or "")
  if bar == "" and share > 0 then return EIGHTHS[1] end
  return bar
end

--- Rows of {label, number, words}: names, bars as long as the numbers, and what the numbers say.
-- What is below zero has no bar.
-- @param width of the longest bar
-- @return array of lines
function M.bars(rows, width)
  local most, wide, lines = 0, 0, {}
  for _, row in ipairs(rows) do
    most, wide = math.max(most, row[2]), math.max(wide, utf8.len(row[1]) or #row[1])
  end
  for i, row in ipairs(rows) do
    local bar = M.bar(most > 0 and math.max(0, row[2]) / most or 0, width)
    lines[i] = ("%s%s  %s%s  %s"):format(row[1], (" "):rep(wide - (utf8.len(row[1]) or #row[1])),
      bar, (" "):rep(width - utf8.len(bar)), row[3])
  end
  return lines
end

return M
