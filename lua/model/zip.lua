-- Reading zip archives of models: every offset is checked before it is used, what two readers could
-- understand differently is refused, and stored entries are lent from the map without a copy.
local archive = require "core.archive"
local map = require "core.map"

local names = require "bittern.model.zip.names"
local records = require "bittern.model.zip.records"

local M = {}

-- Central directories larger than this are not those of models.
local LARGEST_DIRECTORY <const> = 64 << 20
local LONGEST_COMMENT <const> = 0xFFFF
local ENCRYPTED <const> = 0x0001 | 0x0040 | 0x2000
local DESCRIPTOR <const> = 0x0008
local UNIX <const> = 3

local Archive = {}
Archive.__index = Archive
Archive.__name = "zip archive"

local function bad(path, format, ...)
  return nil, path .. ": " .. format:format(...), "invalid_artifact"
end

-- The end record is the last one whose comment reaches exactly to the end of the file.
local function find_end(mapped, path)
  local size = mapped:size()
  local from = math.max(0, size - records.END_SIZE - LONGEST_COMMENT)
  local text = mapped:read(from, size - from)
  for at = #text - records.END_SIZE + 1, 1, -1 do
    if text:sub(at, at + 3) == "PK\5\6" then
      local e = records.parse_end(text:sub(at, at + records.END_SIZE - 1))
      if at + records.END_SIZE - 1 + e.comment_length == #text then
        e.at = from + at - 1
        return e
      end
    end
  end
  return bad(path, "not a zip archive, or cut short")
end

-- The zip64 form of the end, when there is one. Without it, fields that are full are taken as they
-- are, and the checks of place and count decide.
local function read_end64(mapped, path, e)
  local locator = e.at - records.LOCATOR_SIZE
  local offset = locator >= 0 and records.parse_locator(mapped:read(locator, records.LOCATOR_SIZE))
  if not offset then return e end
  local e64 = records.parse_end64(mapped:read(offset, records.END64_SIZE) or "")
  if not e64 or e64.record > locator - offset or offset + 12 + e64.record ~= locator then
    return bad(path, "its zip64 end record is broken")
  end
  e64.at = offset
  return e64
end

local function read_end(mapped, path)
  local e, message, code = find_end(mapped, path)
  if not e then return nil, message, code end
  e, message, code = read_end64(mapped, path, e)
  if not e then return nil, message, code end
  if e.disk ~= 0 or e.start_disk ~= 0 or e.here ~= e.count then
    return bad(path, "spans several disks")
  end
  if e.offset > e.at or e.size ~= e.at - e.offset then
    return bad(path, "its directory is not where it says")
  end
  if e.size > LARGEST_DIRECTORY then
    return bad(path, "its directory is too large (%d bytes)", e.size)
  end
  return e
end

-- Type bits of a Unix mode: files (or none given) and folders only.
local function is_plain(h)
  if h.made_by >> 8 ~= UNIX then return true end
  local kind = h.external >> 28
  return kind == 0 or kind == 8 or kind == 4
end

local function check_central(path, h)
  local ok, message = names.check(h.name)
  if not ok then return bad(path, "%s", message) end
  if h.flags & ENCRYPTED ~= 0 then return bad(path, "entry '%s' is encrypted", h.name) end
  if not is_plain(h) then return bad(path, "entry '%s' is a link or device", h.name) end
  if h.method ~= 0 then
    return bad(path, "entry '%s' is compressed (method %d); only stored entries are read, "
      .. "deflated members come with a later version", h.name, h.method)
  end
  if h.disk ~= 0 then return bad(path, "spans several disks") end
  if not records.widen(h, h.extra) then
    return bad(path, "entry '%s' lacks its zip64 sizes", h.name)
  end
  if h.stored ~= h.size then return bad(path, "entry '%s' is stored with two sizes", h.name) end
  if h.name:sub(-1) == "/" and h.size > 0 then return bad(path, "folder '%s' has data", h.name) end
  return true
end

local function read_directory(mapped, path, e)
  local text, at, list = mapped:read(e.offset, e.size), 1, {}
  while at <= #text do
    local h, next_at = records.parse_central(text, at)
    if not h then return bad(path, "its directory is broken at entry %d", #list + 1) end
    local ok, message, code = check_central(path, h)
    if not ok then return nil, message, code end
    list[#list + 1], at = h, next_at
  end
  if #list ~= e.count then
    return bad(path, "has %d entries, not the %d it says", #list, e.count)
  end
  local ok, message = names.check_all(list)
  if not ok then return bad(path, "%s", message) end
  return list
end

-- What the local header says again must be the same, or another reader sees another file.
local function agrees(l, h, name)
  if l.flags ~= h.flags or l.method ~= h.method or name ~= h.name then return false end
  local later = h.flags & DESCRIPTOR ~= 0
  if later and l.crc32 == 0 and l.size == 0 and l.stored == 0 then return true end
  return l.crc32 == h.crc32 and l.size == h.size and l.stored == h.stored
end

local function locate(mapped, path, h)
  local l = records.parse_local(mapped:read(h.offset, records.LOCAL_SIZE) or "")
  local tail = l and mapped:read(h.offset + records.LOCAL_SIZE, l.name_length + l.extra_length)
  if not tail then return bad(path, "entry '%s' lies outside of the file", h.name) end
  local name, extra = tail:sub(1, l.name_length), tail:sub(l.name_length + 1)
  if not records.widen(l, extra) or not agrees(l, h, name) then
    return bad(path, "entry '%s' is described in two ways", h.name)
  end
  h.data = h.offset + records.LOCAL_SIZE + #tail
  return true
end

-- Entries in the order of their bytes, none reaching into the next or into the directory.
local function place_entries(mapped, path, list, limit)
  for _, h in ipairs(list) do
    local ok, message, code = locate(mapped, path, h)
    if not ok then return nil, message, code end
  end
  local order = table.move(list, 1, #list, 1, {})
  table.sort(order, function(a, b) return a.offset < b.offset end)
  for i, h in ipairs(order) do
    local stop = order[i + 1] and order[i + 1].offset or limit
    if h.data > stop or h.size > stop - h.data then
      return bad(path, "entry '%s' overlaps what follows it", h.name)
    end
  end
  return true
end

local function new_archive(path, mapped, list)
  local self = setmetatable({ path = path, map = mapped, entries = {}, by_name = {} }, Archive)
  for _, h in ipairs(list) do
    if h.name:sub(-1) ~= "/" then
      local entry = { name = h.name, size = h.size, crc32 = h.crc32, offset = h.data }
      self.entries[#self.entries + 1] = entry
      self.by_name[h.name] = entry
    end
  end
  table.sort(self.entries, function(a, b) return a.name < b.name end)
  return self
end

local function read_all(path, mapped)
  local e, message, code = read_end(mapped, path)
  if not e then return nil, message, code end
  local list, why, id = read_directory(mapped, path, e)
  if not list then return nil, why, id end
  local ok, reason, kind = place_entries(mapped, path, list, e.offset)
  if not ok then return nil, reason, kind end
  return new_archive(path, mapped, list)
end

--- Opens an archive.
-- @param path string
-- @return archive with path, entries = array of {name, size, crc32, offset} in order of names,
--   by_name; or nil, message, code
function M.open(path)
  local mapped, message, code = map.open(path)
  if not mapped then return nil, message, code end
  local opened, why, id = read_all(path, mapped)
  if not opened then mapped:close() end
  return opened, why, id
end

--- The bytes of an entry, lent by the map: good as long as the archive is open.
-- @return slice, or nil, message, "not_found"
function Archive:slice(name)
  local entry = self.by_name[name]
  if not entry then return nil, ("%s: has no entry '%s'"):format(self.path, name), "not_found" end
  return self.map:slice(entry.offset, entry.size)
end

--- Reads an entry through and compares its CRC-32.
-- @return true, or nil, message, code
function Archive:check(name)
  local slice, message, code = self:slice(name)
  if not slice then return nil, message, code end
  local crc, why, id = archive.crc32(slice)
  if not crc then return nil, why, id end
  local expected = self.by_name[name].crc32
  if crc == expected then return true end
  return bad(self.path, "entry '%s' is damaged: its CRC-32 is %08x, not %08x", name, crc, expected)
end

--- The folder that holds the one config.json, "" for the top, else with a slash at its end.
-- @return string, or nil, message, "invalid_artifact"
function Archive:folder()
  local found = {}
  for _, entry in ipairs(self.entries) do
    local folder = ("/" .. entry.name):match("^(.*/)config%.json$")
    if folder then found[#found + 1] = folder:sub(2) end
  end
  if #found == 1 then return found[1] end
  if #found == 0 then return bad(self.path, "has no config.json") end
  return bad(self.path, "has %d files named config.json; validators take any of them", #found)
end

--- Gives the map back; slices of it refuse from then on.
function Archive:close()
  self.map:close()
end

Archive.__close = Archive.close

return M
