-- Files of tensors whose places are known before their bytes are: each tensor is filled piece by
-- piece, in any order, and the file has its name only once it is whole.
local fs = require "core.fs"

local M = {}

local Placed = {}
Placed.__index = Placed
Placed.__name = "file of tensors"

--- Begins a file.
-- @param path string; nothing is there before commit
-- @param header string
-- @param tensors array of {name, offset behind the header, size}
-- @param total bytes behind the header
-- @param base where the header lies in the file, or nil for 0
-- @return file, or nil, message, code
function M.create(path, header, tensors, total, base)
  base = base or 0
  local out, message, code = fs.create(path)
  if not out then return nil, message, code end
  local self = setmetatable({ out = out, places = {}, size = base + #header + total }, Placed)
  for _, t in ipairs(tensors) do
    self.places[t.name] = { at = base + #header + t.offset, left = t.size }
  end
  local ok, why, id = out:write_at(base, header)
  -- The last byte makes padding behind the last tensor; elsewhere it is a hole, which reads as 0.
  if ok and total > 0 then ok, why, id = out:write_at(self.size - 1, "\0") end
  if ok then return self end
  out:close()
  return nil, why, id
end

--- Appends bytes to a tensor.
-- @param name of the tensor
-- @param source string, map, slice or buffer
-- @param size of it in bytes
-- @return true, or nil, message, code
function Placed:put(name, source, size)
  local place = self.places[name]
  if not place then error(("no tensor '%s' in this file"):format(name), 2) end
  if size > place.left then
    error(("tensor '%s': %d bytes, %d are left"):format(name, size, place.left), 2)
  end
  if size == 0 then return true end
  local ok, message, code = self.out:write_at(place.at, source)
  if not ok then return nil, message, code end
  place.at, place.left = place.at + size, place.left - size
  return true
end

--- Whether a tensor is there from an earlier run: never, a file begins empty.
function Placed.holds()
  return false
end

--- Takes notice that a tensor is whole, which matters to files that are resumed.
function Placed.done()
  return true
end

--- Gives the file its name.
-- @return bytes of the file, or nil, message, code
function Placed:commit()
  for name, place in pairs(self.places) do
    if place.left > 0 then error(("tensor '%s' lacks %d bytes"):format(name, place.left), 2) end
  end
  local ok, message, code = self.out:commit()
  if not ok then return nil, message, code end
  return self.size
end

--- Without a commit, drops what was written.
function Placed:close()
  self.out:close()
end

Placed.__close = Placed.close

return M
