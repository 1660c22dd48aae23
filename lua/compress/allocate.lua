-- Which rows are rescued: those whose error falls most for a byte, over all matrices together, as
-- many as the budget pays for.
--
-- Each matrix ranks its own rows; one threshold on the worth of a byte then says how many rows each
-- matrix gets, so that no list of all rows of the model is ever made.
local buffer = require "core.buffer"

local layout = require "bittern.artifact.layout"
local plan = require "bittern.compress.plan"

local M = {}

local HALVINGS <const> = 60 -- of the threshold, more than a double can tell apart

-- What a rescued row is worth: the share of its matrix's error that goes away, so that matrices of
-- large weights do not take everything.
local function worth(entry, row)
  local stats = entry.stats
  if stats.total <= 0 then return 0 end
  return (stats.low:get(row) - stats.rescued:get(row)) / stats.total * entry.item.weight
end

-- Ranks the rows that gain anything, the best first; equal ones in row order.
local function rank(entry)
  local item = entry.item
  local kept, rescued = layout.row_cost {
    codec = item.codec, group = item.group, shape = item.shape,
  }
  local cost = math.max(1, rescued - kept)
  local values, rows = {}, {}
  for row = 0, item.rows - 1 do
    values[row] = worth(entry, row) / cost
    if values[row] > 0 then rows[#rows + 1] = row end
  end
  table.sort(rows, function(a, b)
    if values[a] ~= values[b] then return values[a] > values[b] end
    return a < b
  end)
  entry.values, entry.rows, entry.closed = values, rows, false
end

-- How many rows of an entry are worth at least the threshold.
local function count_from(entry, threshold)
  local low, high = 0, #entry.rows
  while low < high do
    local middle = (low + high + 1) // 2
    if entry.values[entry.rows[middle]] >= threshold then low = middle else high = middle - 1 end
  end
  return low
end

local function spend(entries, threshold)
  for _, entry in ipairs(entries) do entry.item.rescued = count_from(entry, threshold) end
end

local function best_value(entries)
  local best = 0
  for _, entry in ipairs(entries) do
    best = math.max(best, entry.rows[1] and entry.values[entry.rows[1]] or 0)
  end
  return best
end

-- Rescues all rows above the lowest threshold that fits.
local function bisect(entries, fits)
  spend(entries, 0)
  if fits() then return end
  local low, high = 0, best_value(entries) * 2
  for _ = 1, HALVINGS do
    local middle = (low + high) / 2
    spend(entries, middle)
    if fits() then high = middle else low = middle end
  end
  spend(entries, high)
end

-- The entry whose next row is worth most, among those that are not closed.
local function best_next(entries)
  local best, value
  for _, entry in ipairs(entries) do
    local row = not entry.closed and entry.rows[entry.item.rescued + 1]
    if row and (not value or entry.values[row] > value) then
      best, value = entry, entry.values[row]
    end
  end
  return best
end

-- Rescues as many of the next rows of equal worth as fit; none closes the entry.
local function extend(entry, fits)
  local item, start = entry.item, entry.item.rescued
  local low, high = start, count_from(entry, entry.values[entry.rows[start + 1]])
  while low < high do
    item.rescued = (low + high + 1) // 2
    if fits() then low = item.rescued else high = item.rescued - 1 end
  end
  item.rescued = low
  entry.closed = low == start
end

-- What the threshold left over goes to the next rows of each matrix, while they fit.
local function fill(entries, fits)
  local entry = best_next(entries)
  while entry do
    extend(entry, fits)
    entry = best_next(entries)
  end
end

-- Numbers of the chosen rows, ascending.
local function chosen(entry)
  local rows = table.move(entry.rows, 1, entry.item.rescued, 1, {})
  table.sort(rows)
  local out = buffer.new("i32", #rows)
  for i, row in ipairs(rows) do out:set(i - 1, row) end
  return out
end

local function error_left(entry)
  local left = entry.stats.total
  for i = 1, entry.item.rescued do
    local row = entry.rows[i]
    left = left - entry.stats.low:get(row) + entry.stats.rescued:get(row)
  end
  return math.max(left, 0)
end

--- Chooses the rescued rows of a plan.
-- @param whole the plan; the items that are measured get `rescued`, `rescue_rows` (i32 buffer) and
--   their squared errors `error_before` and `error_after`
-- @param measured array of {item, stats}
-- @param limit bytes of the archive; nil when no item's rescue is "budget"
function M.run(whole, measured, limit)
  local entries = {}
  for _, entry in ipairs(measured) do
    rank(entry)
    if entry.item.rescue == "budget" then
      entries[#entries + 1] = entry
    else
      entry.item.rescued = math.min(entry.item.rescue, #entry.rows)
    end
  end
  if #entries > 0 then
    local function fits() return plan.archive_size(whole) <= limit end
    bisect(entries, fits)
    fill(entries, fits)
  end
  for _, entry in ipairs(measured) do
    local item = entry.item
    item.rescue_rows = chosen(entry)
    item.error_before, item.error_after = entry.stats.total, error_left(entry)
  end
end

return M
