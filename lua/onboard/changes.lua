-- What changed between two texts, by lines: as few as can be taken away and added.
local M = {}

local MOST <const> = 1 << 20 -- cells of the table; of larger changes all lines are told

local function lines_of(text)
  local list = {}
  for line in (text:gsub("\n$", "") .. "\n"):gmatch("(.-)\r?\n") do list[#list + 1] = line end
  return list
end

-- What is left of both without the lines that they begin and end with alike.
local function differing(a, b)
  local from, less = 1, 0
  while a[from] and a[from] == b[from] do from = from + 1 end
  local most = math.min(#a, #b) - from + 1
  while less < most and a[#a - less] == b[#b - less] do less = less + 1 end
  return table.move(a, from, #a - less, 1, {}), table.move(b, from, #b - less, 1, {})
end

-- lengths[i][j]: how many lines a from i on and b from j on have in common, in order.
local function common_lengths(a, b)
  local lengths, below = {}, {}
  for j = 1, #b + 1 do below[j] = 0 end
  lengths[#a + 1] = below
  for i = #a, 1, -1 do
    local row = { [#b + 1] = 0 }
    for j = #b, 1, -1 do
      row[j] = a[i] == b[j] and below[j + 1] + 1 or math.max(below[j], row[j + 1])
    end
    lengths[i], below = row, row
  end
  return lengths
end

-- Whether line i of a is taken away before line j of b is added.
local function goes_first(a, b, i, j, lengths)
  if j > #b or i > #a then return j > #b end
  return not lengths or lengths[i + 1][j] >= lengths[i][j + 1]
end

--- The lines that changed.
-- @param before text
-- @param after text
-- @return array of "- line taken away" and "+ line added", in their order
function M.lines(before, after)
  local a, b = differing(lines_of(before), lines_of(after))
  local lengths = #a * #b <= MOST and common_lengths(a, b)
  local list, i, j = {}, 1, 1
  while i <= #a or j <= #b do
    if lengths and a[i] and a[i] == b[j] then
      i, j = i + 1, j + 1
    elseif goes_first(a, b, i, j, lengths) then
      list[#list + 1], i = "- " .. a[i], i + 1
    else
      list[#list + 1], j = "+ " .. b[j], j + 1
    end
  end
  return list
end

return M
