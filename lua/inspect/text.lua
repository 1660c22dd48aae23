-- Sizes, names and shares as tables of 80 columns show them.
local M = {}

--- 11408506880 -> "11.4 GB".
function M.size(bytes)
  if bytes < 1000 then return bytes .. " B" end
  for i, unit in ipairs { "kB", "MB", "GB", "TB" } do
    local value = bytes / 1000.0 ^ i
    if value < 999.5 or unit == "TB" then
      return (value < 99.95 and "%.1f %s" or "%.0f %s"):format(value, unit)
    end
  end
end

--- {64, 128} -> "64x128".
function M.shape(shape)
  return #shape == 0 and "scalar" or table.concat(shape, "x")
end

--- A name in so many columns: its end tells more than its beginning.
function M.shorten(name, room)
  if #name <= room then return name end
  return ".." .. name:sub(#name - room + 3)
end

--- A line in so many columns.
function M.cut(line, columns)
  if (utf8.len(line) or #line) <= columns then return line end
  local stop = utf8.len(line) and utf8.offset(line, columns - 1) or columns - 1
  return line:sub(1, stop - 1) .. ".."
end

-- Columns that a table leaves for its first one.
local function room_of(rows, titles, columns)
  local room = columns
  for i = 2, #titles do
    local widest = #titles[i]
    for _, row in ipairs(rows) do
      widest = math.max(widest, row[i] and (utf8.len(row[i]) or #row[i]) or 0)
    end
    room = room - widest - 2
  end
  return math.max(12, room)
end

--- Shortens the names in a table's first column so that its lines fit; indents stay.
-- @param rows array of arrays of strings
-- @param titles array of strings
-- @param columns of a line
function M.fit(rows, titles, columns)
  local room = room_of(rows, titles, columns)
  for _, row in ipairs(rows) do
    local indent = row[1]:match("^ *")
    row[1] = indent .. M.shorten(row[1]:sub(#indent + 1), room - #indent)
  end
end

return M
