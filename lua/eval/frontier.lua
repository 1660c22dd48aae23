-- Size against perplexity: which points nothing else beats, and a drawing of them.
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

local WIDTH <const>, HEIGHT <const> = 900, 560
local LEFT <const>, RIGHT <const>, TOP <const>, BOTTOM <const> = 90, 30, 40, 60

-- Least and most of a list of numbers, with room around them.
local function range(values)
  local low, high = math.min(table.unpack(values)), math.max(table.unpack(values))
  local margin = (high - low) * 0.08
  if margin == 0 then margin = math.max(math.abs(high) * 0.1, 1e-6) end
  return low - margin, high + margin
end

-- Where numbers of a drawing lie.
local function scales(drawing, width, height)
  local sizes, ppls = {}, {}
  for i, point in ipairs(drawing.points) do sizes[i], ppls[i] = point.bytes, point.ppl end
  sizes[#sizes + 1] = drawing.budget
  if drawing.known then
    sizes[#sizes + 1], ppls[#ppls + 1] = drawing.known.bytes, drawing.known.ppl
  end
  local x0, x1 = range(sizes)
  local y0, y1 = range(ppls)
  return function(bytes) return (bytes - x0) / (x1 - x0) * width end,
    function(ppl) return (y1 - ppl) / (y1 - y0) * height end, { x0, x1, y0, y1 }
end

local escapes <const> = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }

local function text(x, y, words, more)
  return ('<text x="%.1f" y="%.1f"%s>%s</text>'):format(x, y, more or "",
    (words:gsub('[&<>"]', escapes)))
end

local function line(x1, y1, x2, y2, style)
  return ('<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" %s/>'):format(x1, y1, x2, y2, style)
end

local function axes(out, ends)
  local x0, x1, y0, y1 = table.unpack(ends)
  for i = 0, 4 do
    local x = LEFT + (WIDTH - LEFT - RIGHT) * i / 4
    local y = TOP + (HEIGHT - TOP - BOTTOM) * i / 4
    out[#out + 1] = line(x, TOP, x, HEIGHT - BOTTOM, 'stroke="#ddd"')
    out[#out + 1] = line(LEFT, y, WIDTH - RIGHT, y, 'stroke="#ddd"')
    out[#out + 1] = text(x, HEIGHT - BOTTOM + 18, ("%.6g"):format((x0 + (x1 - x0) * i / 4) / 1e6),
      ' text-anchor="middle"')
    out[#out + 1] = text(LEFT - 8, y + 4, ("%.5g"):format(y1 - (y1 - y0) * i / 4),
      ' text-anchor="end"')
  end
  out[#out + 1] = text(WIDTH / 2, HEIGHT - 16, "size, MB", ' text-anchor="middle"')
  out[#out + 1] = text(12, TOP - 14, "perplexity")
end

local function circle(x, y, point)
  local style = point.frontier and 'fill="#1f5fbf"' or 'fill="none" stroke="#999"'
  return ('<circle cx="%.1f" cy="%.1f" r="5" %s/>'):format(x, y, style)
end

local function add_points(out, drawing, x_of, y_of)
  local way = {}
  for _, point in ipairs(drawing.points) do
    local x, y = LEFT + x_of(point.bytes), TOP + y_of(point.ppl)
    if point.frontier then way[#way + 1] = ("%.1f,%.1f"):format(x, y) end
    out[#out + 1] = circle(x, y, point)
    out[#out + 1] = text(x + 8, y - 6, point.label,
      point.frontier and "" or ' fill="#888"')
  end
  out[#out + 1] = ('<polyline points="%s" fill="none" stroke="#1f5fbf"/>'):format(
    table.concat(way, " "))
end

--- Draws points as SVG.
-- @param drawing {points = array of {bytes, ppl, label, frontier}, the smallest first; budget =
--   bytes or nil; known = {bytes, ppl} or nil}
-- @return string
function M.svg(drawing)
  local x_of, y_of, ends = scales(drawing, WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM)
  local out = { ('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
    .. 'font-family="sans-serif" font-size="12">'):format(WIDTH, HEIGHT),
    '<rect width="100%" height="100%" fill="#fff"/>' }
  axes(out, ends)
  if drawing.budget then
    local x = LEFT + x_of(drawing.budget)
    out[#out + 1] = line(x, TOP, x, HEIGHT - BOTTOM, 'stroke="#c00" stroke-dasharray="6 4"')
    out[#out + 1] = text(x - 4, TOP + 12, "budget", ' fill="#c00" text-anchor="end"')
  end
  if drawing.known then
    local x, y = LEFT + x_of(drawing.known.bytes), TOP + y_of(drawing.known.ppl)
    out[#out + 1] = ('<path d="M%.1f %.1fl7 7l-7 7l-7 -7z" fill="#e08a00"/>'):format(x, y - 7)
    out[#out + 1] = text(x + 10, y + 4, "best known", ' fill="#e08a00"')
  end
  add_points(out, drawing, x_of, y_of)
  out[#out + 1] = "</svg>\n"
  return table.concat(out, "\n")
end

--- Draws points for a terminal: `*` nothing beats, `.` something does, `|` budget, `K` best known.
-- @param drawing as M.svg takes it
-- @return array of lines
function M.plot(drawing, width, height)
  local x_of, y_of, ends = scales(drawing, width - 1, height - 1)
  local grid = {}
  for row = 1, height do grid[row] = {} end
  local function put(bytes, ppl, mark)
    grid[y_of(ppl) // 1 + 1][x_of(bytes) // 1 + 1] = mark
  end
  for row = 1, drawing.budget and height or 0 do grid[row][x_of(drawing.budget) // 1 + 1] = "|" end
  for _, point in ipairs(drawing.points) do
    if not point.frontier then put(point.bytes, point.ppl, ".") end
  end
  if drawing.known then put(drawing.known.bytes, drawing.known.ppl, "K") end
  for _, point in ipairs(drawing.points) do
    if point.frontier then put(point.bytes, point.ppl, "*") end
  end
  local lines = {}
  for row = 1, height do
    for column = 1, width do grid[row][column] = grid[row][column] or " " end
    local tick = row == 1 and ends[4] or row == height and ends[3]
    lines[row] = ("%9s |%s"):format(tick and ("%.4g"):format(tick) or "",
      table.concat(grid[row])):gsub("%s+$", "")
  end
  lines[#lines + 1] = (" "):rep(10) .. "+" .. ("-"):rep(width)
  lines[#lines + 1] = ("%11s%.6g MB%s%.6g MB"):format("", ends[1] / 1e6, (" "):rep(width - 24),
    ends[2] / 1e6)
  return lines
end

return M
