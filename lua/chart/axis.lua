-- One axis of a chart: where numbers lie between 0 and 1, and its round ticks.
local M = {}

-- Steps that people count in, for one decade.
local STEPS <const> = { 1, 2, 2.5, 5, 10 }

-- The smallest round step that cuts a span into at most so many pieces.
local function step_of(span, count)
  local decade = 10.0 ^ math.floor(math.log(span / count, 10))
  for _, step in ipairs(STEPS) do
    if span / (step * decade) <= count * 1.0001 then return step * decade end
  end
  return 10 * decade
end

-- How many digits behind the point tell multiples of a step apart.
local function digits_of(step)
  for digits = 0, 12 do
    local scaled = step * 10.0 ^ digits
    if math.abs(scaled - math.floor(scaled + 0.5)) < 1e-6 * scaled then return digits end
  end
  return 12
end

--- A number of an axis in few characters: 12, 0.25, 1.5e-7.
-- @param digits behind the point
function M.number(value, digits)
  if value ~= 0 and (math.abs(value) < 1e-4 or math.abs(value) >= 1e6) then
    return (("%.3g"):format(value):gsub("e%+?(%-?)0*(%d)", "e%1%2"))
  end
  local text = ("%." .. digits .. "f"):format(value)
  return text:find("^%-0[%.0]*$") and text:sub(2) or text
end

local function ends(values)
  local low, high = math.huge, -math.huge
  for _, value in ipairs(values) do low, high = math.min(low, value), math.max(high, value) end
  if low > high then return 0, 1 end
  return low, high
end

-- Least and most of what is to be seen, apart even where there is one number only.
local function range(values, margin)
  local low, high = ends(values)
  local room = (high - low) * margin
  if high - low <= 1e-12 * math.max(math.abs(low), math.abs(high)) then
    room = math.max(math.abs(high) * 0.1, 1e-6)
  end
  return low - room, high + room
end

local function with_place(low, high)
  return function(value) return (value - low) / (high - low) end
end

--- An axis on which equal steps are equally long.
-- @param values array of the numbers that it has to hold
-- @param options {margin = share of the span left free at both ends (0.08), count = most pieces
--   (6), from = lowest number that is to be seen, too, such as 0}
-- @return {low, high, at = function(number) -> 0..1, ticks = array of {at, label}}
function M.linear(values, options)
  options = options or {}
  local low, high = range(values, options.margin or 0.08)
  if options.from then
    if low > options.from or math.min(table.unpack(values)) >= options.from then
      low = options.from
    end
    if high <= low then high = low + 1 end
  end
  local step, ticks, at = step_of(high - low, options.count or 6), {}, with_place(low, high)
  local digits = digits_of(step)
  for i = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) do
    ticks[#ticks + 1] = { value = i * step, at = at(i * step), label = M.number(i * step, digits) }
  end
  return { low = low, high = high, at = at, ticks = ticks }
end

-- Powers of ten, and where they are few 2 and 5 between them.
local function powers(low, high)
  local first, last = math.floor(math.log(low, 10)), math.ceil(math.log(high, 10))
  local list, parts = {}, high / low <= 1000 and { 1, 2, 5 } or { 1 }
  for power = first, last, math.max(1, (last - first) // 6) do
    for _, part in ipairs(parts) do list[#list + 1] = part * 10.0 ^ power end
  end
  return list
end

-- Within one decade factors and steps are nearly alike: round steps serve, too.
local function log_ticks(low, high, at)
  local ticks = high / low <= 5 and M.linear({ low, high }, { margin = 0 }).ticks or {}
  for _, tick in ipairs(ticks) do tick.at = at(tick.value) end
  if #ticks > 0 then return ticks end
  for _, value in ipairs(powers(low, high)) do
    if value >= low * 0.9999 and value <= high * 1.0001 then
      local digits = math.max(0, -math.floor(math.log(value, 10) + 1e-9))
      ticks[#ticks + 1] = { at = at(value), label = M.number(value, digits) }
    end
  end
  return ticks
end

--- An axis on which equal factors are equally long; all numbers must be above 0.
-- @param values as M.linear takes them
-- @return as M.linear gives it
function M.log(values)
  local logs = {}
  for i, value in ipairs(values) do logs[i] = math.log(value, 10) end
  local low, high = range(logs, 0.05)
  local place = with_place(low, high)
  local function at(value) return place(math.log(value, 10)) end
  low, high = 10.0 ^ low, 10.0 ^ high
  return { low = low, high = high, at = at, ticks = log_ticks(low, high, at) }
end

local UNITS <const> = { { 1e9, "GB" }, { 1e6, "MB" }, { 1e3, "kB" }, { 1, "bytes" } }

--- A number of bytes in the unit that fits: 1,312,000 -> 1.31 MB.
function M.size(bytes)
  for _, unit in ipairs(UNITS) do
    if bytes >= unit[1] then
      return unit[1] == 1 and ("%d bytes"):format(bytes)
        or ("%.3g %s"):format(bytes / unit[1], unit[2])
    end
  end
  return "0 bytes"
end

--- An axis of bytes, in the unit that fits the largest.
-- @param values, options as M.linear takes them
-- @return axis whose `at` takes bytes, name of the unit
function M.bytes(values, options)
  local most, scaled, unit = 0, {}, UNITS[#UNITS]
  for _, value in ipairs(values) do most = math.max(most, value) end
  for i = #UNITS, 1, -1 do
    if most >= UNITS[i][1] then unit = UNITS[i] end
  end
  for i, value in ipairs(values) do scaled[i] = value / unit[1] end
  local axis = M.linear(scaled, options)
  local at = axis.at
  axis.at = function(bytes) return at(bytes / unit[1]) end
  axis.low, axis.high = axis.low * unit[1], axis.high * unit[1]
  return axis, unit[2]
end

local MINUTE <const>, HOUR <const>, DAY <const> = 60, 3600, 86400
local TIMES <const> = { 5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, DAY, 2 * DAY, 7 * DAY,
  30 * DAY, 365 * DAY }

local function time_step(span)
  for _, step in ipairs(TIMES) do
    if span <= 6 * step then return step end
  end
  return span / 5
end

--- An axis of times, with ticks at hours or days that are round.
-- @param values seconds since 1970
-- @return as M.linear gives it
function M.time(values)
  local low, high = ends(values)
  local room = math.max((high - low) * 0.04, 4 * MINUTE)
  low, high = low - room, high + room
  local step, at, ticks = time_step(high - low), with_place(low, high), {}
  local form = step >= DAY and "!%d %b" or "!%d %b %H:%M"
  for i = math.ceil(low / step), math.floor(high / step) do
    ticks[#ticks + 1] = { at = at(i * step), label = os.date(form, i * step // 1) }
  end
  return { low = low, high = high, at = at, ticks = ticks }
end

--- An axis of names, each with a band of its own. Where they are many, some have no label.
-- @param names array of strings
-- @return {at = function(index) -> middle of its band, band = width of one, ticks}
function M.names(names)
  local band, ticks = 1 / math.max(1, #names), {}
  local function at(index) return (index - 0.5) * band end
  local every = math.max(1, math.ceil(#names / 16))
  for i, name in ipairs(names) do
    if (i - 1) % every == 0 or i == #names and (#names - 1) % every > every // 2 then
      ticks[#ticks + 1] = { at = at(i), label = name }
    end
  end
  return { at = at, band = band, ticks = ticks }
end

return M
