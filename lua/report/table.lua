-- Tables: aligned columns, and what a terminal that is too narrow gets of them.
local sys = require "core.sys"

local CUT_LEAST <const> = 6 -- columns of a table that are always left of a cut one

-- Display width: code points, good enough for what we print.
local function width(text)
  return utf8.len(text) or #text
end

local function pad(text, size, right)
  local space = (" "):rep(math.max(0, size - width(text)))
  return right and space .. text or text .. space
end

-- The last columns of a text are cut off, between characters, when it is wider than that.
local function cut(text, size)
  if width(text) <= size then return text end
  return text:sub(1, utf8.offset(text, math.max(1, size - 2)) - 1) .. "..."
end

local function sizes_of(columns, rows)
  local sizes = {}
  for i = 1, #columns do
    sizes[i] = 0
    for _, row in ipairs(rows) do sizes[i] = math.max(sizes[i], width(tostring(row[i] or ""))) end
  end
  return sizes
end

-- Which columns a terminal has room for: where it is too narrow, spare ones go, the first first,
-- then one that may be cut becomes narrower.
local function kept(columns, sizes)
  local keep, total = {}, -2
  for i in ipairs(columns) do keep[i], total = true, total + sizes[i] + 2 end
  local room = sys.isatty(1) and sys.columns(1) or total
  for i, column in ipairs(columns) do
    if column.spare and total > room then keep[i], total = false, total - sizes[i] - 2 end
  end
  for i, column in ipairs(columns) do
    local less = column.cut and math.min(total - room, sizes[i] - CUT_LEAST) or 0
    if less > 0 then sizes[i], total = sizes[i] - less, total - less end
  end
  return keep
end

local function line_of(columns, row, sizes, keep)
  local cells = {}
  for i, column in ipairs(columns) do
    local cell = keep[i] and pad(cut(tostring(row[i] or ""), sizes[i]), sizes[i], column.right)
    if cell then cells[#cells + 1] = cell end
  end
  return (table.concat(cells, "  "):gsub("%s+$", ""))
end

-- See bittern.report's table.
return function(columns, rows)
  local titles, lines = {}, {}
  for i, column in ipairs(columns) do titles[i] = column[1] end
  local all = table.move(rows, 1, #rows, 2, { titles })
  local sizes = sizes_of(columns, all)
  local keep = kept(columns, sizes)
  for i, row in ipairs(all) do lines[i] = line_of(columns, row, sizes, keep) end
  return lines
end
