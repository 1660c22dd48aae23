-- Which bytes of a file are still missing: the pieces nobody fetches, and those under way.
local M = {}

local Parts = {}
Parts.__index = Parts

--- What is missing of a file that nothing is there of.
-- @return array of {first, last}, inclusive
function M.all(size)
  return size > 0 and { { 0, size - 1 } } or {}
end

--- What is missing, to be fetched.
-- @param size bytes of the file
-- @param missing array of {first, last}, inclusive
-- @return parts
function M.new(size, missing)
  local free = {}
  for i, piece in ipairs(missing) do
    free[i] = { piece[1], piece[2] }
  end
  return setmetatable({ size = size, free = free, under_way = {} }, Parts)
end

--- Whether pieces are what `missing` of an untrusted state may hold: ascending, apart, inside.
function M.is_valid(size, missing)
  if type(missing) ~= "table" then return false end
  local from = 0
  for _, piece in ipairs(missing) do
    local first = type(piece) == "table" and math.tointeger(piece[1])
    local last = first and math.tointeger(piece[2])
    if not last or first < from or last < first or last >= size then return false end
    from = last + 1
  end
  return true
end

--- Takes the first piece that nobody fetches.
-- @param most bytes of it
-- @return piece {first, last}, which is under way then; nil when there is none
function Parts:take(most)
  local first = self.free[1]
  if not first then return nil end
  local piece = { first[1], math.min(first[2], first[1] + most - 1) }
  if piece[2] == first[2] then table.remove(self.free, 1) else first[1] = piece[2] + 1 end
  self.under_way[piece] = true
  return piece
end

local function insert(list, piece)
  local at = 1
  while list[at] and list[at][1] < piece[1] do at = at + 1 end
  table.insert(list, at, piece)
  local after, before = list[at + 1], list[at - 1]
  if after and after[1] == piece[2] + 1 then
    piece[2] = after[2]
    table.remove(list, at + 1)
  end
  if before and before[2] + 1 == piece[1] then
    before[2] = piece[2]
    table.remove(list, at)
  end
end

--- A piece has ended with so many of its bytes in the file; the rest is missing again.
function Parts:finish(piece, received)
  self.under_way[piece] = nil
  if piece[1] + received <= piece[2] then
    insert(self.free, { piece[1] + received, piece[2] })
  end
end

--- What is missing now.
-- @param received function(piece) -> bytes that a piece under way has
-- @return array of {first, last}, ascending
function Parts:missing(received)
  local list = {}
  for _, piece in ipairs(self.free) do insert(list, { piece[1], piece[2] }) end
  for piece in pairs(self.under_way) do
    local first = piece[1] + received(piece)
    if first <= piece[2] then insert(list, { first, piece[2] }) end
  end
  return list
end

--- Bytes of such a list.
function M.bytes(missing)
  local sum = 0
  for _, piece in ipairs(missing) do sum = sum + piece[2] - piece[1] + 1 end
  return sum
end

return M
