-- Zip archives of models: stored entries are lent from the map without a copy, compressed ones are
-- read piece by piece.
local map = require "core.map"

local directory = require "bittern.model.zip.directory"
local inflate = require "bittern.model.zip.inflate"

local M = {}

-- Unpacked, an archive may be this many times larger; models do not compress better. Below the
-- floor nobody minds.
M.RATIO = 200
M.FLOOR = 64 << 20

local Archive = {}
Archive.__index = Archive
Archive.__name = "zip archive"

--- Whether others take a file for a zip archive: the mark of one lies near its end.
M.find_mark = directory.find_mark

local function bad(path, code, format, ...)
  return nil, path .. ": " .. format:format(...), code
end

local function fill(self, list)
  for _, h in ipairs(list) do
    if h.name:sub(-1) ~= "/" then
      local entry = {
        name = h.name, size = h.size, crc32 = h.crc32, method = h.method, stored = h.stored,
        offset = h.data, header = h.offset, stop = h.stop,
      }
      self.entries[#self.entries + 1] = entry
      self.by_name[h.name] = entry
      self.size = self.size + h.size
      self.is_stored = self.is_stored and h.method == 0
    end
  end
  table.sort(self.entries, function(a, b) return a.name < b.name end)
end

--- Reads the directory of an archive.
-- @param source map of the file; the archive is good as long as it is open
-- @param path string, what to call it in messages
-- @return archive with path, entries = array of {name, size, crc32, method, stored = its bytes in
--   the file, offset = where they are} in order of names, by_name, size = of all entries unpacked,
--   is_stored = whether none is compressed; or nil, message, code
function M.read(source, path)
  local self = setmetatable({
    path = path, map = source, entries = {}, by_name = {}, size = 0, is_stored = true,
  }, Archive)
  local list, message, code = directory.read(source)
  if not list then return bad(self.path, code, "%s", message) end
  fill(self, list)
  local most = math.max(M.FLOOR, source:size() * M.RATIO)
  if self.size > most then
    return bad(self.path, "archive_bomb", "would unpack to %d bytes, more than %d", self.size, most)
  end
  return self
end

--- Opens an archive.
-- @param path string
-- @return as M.read
function M.open(path)
  local mapped, message, code = map.open(path)
  if not mapped then return nil, message, code end
  local opened, why, id = M.read(mapped, path)
  if not opened then mapped:close() end
  return opened, why, id
end

local function entry_of(self, name)
  local entry = self.by_name[name]
  if entry then return entry end
  return nil, ("%s: has no entry '%s'"):format(self.path, name), "not_found"
end

--- The bytes of a stored entry, lent by the map: good as long as the archive is open.
-- @return slice, or nil, message, "not_found" or "archive_method"
function Archive:slice(name)
  local entry, message, code = entry_of(self, name)
  if not entry then return nil, message, code end
  if entry.method ~= 0 then
    return bad(self.path, "archive_method", "entry '%s' is compressed and cannot be mapped", name)
  end
  return self.map:slice(entry.offset, entry.size)
end

--- Reads an entry through, decompressed, and compares its size and CRC-32.
-- @param name string
-- @param visit function(bytes, size) -> true, or nil, message, code to stop; the bytes are good
--   until it returns
-- @return true, or nil, message, code
function Archive:read(name, visit)
  local entry, message, code = entry_of(self, name)
  if not entry then return nil, message, code end
  return inflate.read { source = self.map, path = self.path, entry = entry, visit = visit }
end

local function nothing() return true end

--- Reads an entry through and compares its CRC-32.
-- @return true, or nil, message, code
function Archive:check(name)
  return self:read(name, nothing)
end

--- Gives the map back; slices of it refuse from then on.
function Archive:close()
  self.map:close()
end

Archive.__close = Archive.close

return M
