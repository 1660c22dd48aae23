-- The records of a zip file, each drawn beside the code that writes and reads it. Little-endian.
local M = {}

-- A field of 32 (16) bits that holds this says: look in the zip64 record.
M.FULL32 = 0xFFFFFFFF
M.FULL16 = 0xFFFF

M.LOCAL_SIZE = 30
M.CENTRAL_SIZE = 46
M.END_SIZE = 22
M.END64_SIZE = 56
M.LOCATOR_SIZE = 20

--- Names are UTF-8.
M.UTF8_NAME = 0x0800
--- Another name for readers that know this field, which not all do.
M.UNICODE_PATH = 0x7075

-- Extra fields: header id (2), size of what follows (2), content.
local ZIP64 <const> = 0x0001
-- The alignment field of Android's zipalign: alignment (2), then zeros. Readers that do not know it
-- skip it, as the zip specification tells them to.
local ALIGNMENT <const> = 0xD935

local DATE_1980 <const> = 0x0021 -- 1980-01-01: day 1, month 1, year 0
local UNIX <const> = 3
local REGULAR_0644 <const> = 0x81A40000 -- S_IFREG | 0644, in the upper half

-- What no file reaches is refused at once, so that sums of two sizes cannot overflow.
local function is_size(value)
  return value >= 0 and value <= 1 << 53
end

-- Version that a reader must know: 2.0, or 4.5 for zip64.
local function version(is_zip64)
  return is_zip64 and 45 or 20
end

local function flags(name)
  return name:find("[\x80-\xFF]") and M.UTF8_NAME or 0
end

--- An extra field of exactly `size` bytes that says nothing but how data is aligned.
-- @param size 0, or at least 6
function M.padding(size, alignment)
  if size == 0 then return "" end
  return string.pack("<I2I2I2", ALIGNMENT, size - 4, alignment) .. ("\0"):rep(size - 6)
end

-- Local file header
--  0 4 "PK\3\4"    4 2 version    6 2 flags    8 2 method (0 = stored)
-- 10 2 time       12 2 date      14 4 crc32   18 4 stored size   22 4 size
-- 26 2 name length               28 2 extra length               30 name, extra, data

--- @param entry {name, size, crc32, padding = the alignment field}
function M.local_header(entry)
  local big = entry.size >= M.FULL32
  local size = big and M.FULL32 or entry.size
  local zip64 = big and string.pack("<I2I2I8I8", ZIP64, 16, entry.size, entry.size) or ""
  local extra = zip64 .. entry.padding
  return string.pack("<c4I2I2I2I2I2I4I4I4I2I2", "PK\3\4", version(big), flags(entry.name), 0, 0,
    DATE_1980, entry.crc32, size, size, #entry.name, #extra) .. entry.name .. extra
end

--- @return fields of the local header at the start of `text`, or nil
function M.parse_local(text)
  if #text < M.LOCAL_SIZE or text:sub(1, 4) ~= "PK\3\4" then return nil end
  local h = {}
  h.version, h.flags, h.method, h.time, h.date, h.crc32, h.stored, h.size, h.name_length,
    h.extra_length = string.unpack("<I2I2I2I2I2I4I4I4I2I2", text, 5)
  return h
end

-- Central directory header
--  0 4 "PK\1\2"    4 2 made by    6 2 version   8 2 flags    10 2 method   12 2 time   14 2 date
-- 16 4 crc32      20 4 stored    24 4 size     28 2 name    30 2 extra    32 2 comment length
-- 34 2 disk       36 2 internal  38 4 external attributes   42 4 offset of the local header
-- 46 name, extra, comment. Its zip64 field holds size, stored size, offset: those that are full.

--- @param entry {name, size, crc32, offset}
function M.central_header(entry)
  local big, far = entry.size >= M.FULL32, entry.offset >= M.FULL32
  local content = (big and string.pack("<I8I8", entry.size, entry.size) or "")
    .. (far and string.pack("<I8", entry.offset) or "")
  local extra = #content > 0 and string.pack("<I2s2", ZIP64, content) or ""
  local size = big and M.FULL32 or entry.size
  local needs = version(big or far)
  return string.pack("<c4I2I2I2I2I2I2I4I4I4I2I2I2I2I2I4I4", "PK\1\2", UNIX << 8 | needs, needs,
    flags(entry.name), 0, 0, DATE_1980, entry.crc32, size, size, #entry.name, #extra, 0, 0, 0,
    REGULAR_0644, far and M.FULL32 or entry.offset) .. entry.name .. extra
end

--- @return fields of the central header at `at`, the position after it; or nil when it is not whole
function M.parse_central(text, at)
  if #text - at + 1 < M.CENTRAL_SIZE or text:sub(at, at + 3) ~= "PK\1\2" then return nil end
  local h = {}
  h.made_by, h.version, h.flags, h.method, h.time, h.date, h.crc32, h.stored, h.size, h.name_length,
    h.extra_length, h.comment_length, h.disk, h.internal, h.external, h.offset =
    string.unpack("<I2I2I2I2I2I2I4I4I4I2I2I2I2I2I4I4", text, at + 4)
  local name = at + M.CENTRAL_SIZE
  local next_at = name + h.name_length + h.extra_length + h.comment_length
  if next_at > #text + 1 then return nil end
  h.name = text:sub(name, name + h.name_length - 1)
  h.extra = text:sub(name + h.name_length, name + h.name_length + h.extra_length - 1)
  return h, next_at
end

--- The extra fields of a header by their ids. Up to three bytes may be left: old aligners put
-- zeros there.
-- @return {id = content}, or nil when one stands twice or reaches over the end
function M.fields(extra)
  local fields, at = {}, 1
  while #extra - at + 1 >= 4 do
    local id, size = string.unpack("<I2I2", extra, at)
    local empty = id == 0 and size == 0
    if size > #extra - at - 3 or fields[id] and not empty then return nil end
    fields[id] = extra:sub(at + 4, at + 3 + size)
    at = at + 4 + size
  end
  return fields
end

--- Replaces the fields of a header that are full by those of its zip64 field.
-- @param header with size, stored and perhaps offset
-- @param fields of its extra bytes
-- @return true, or nil when the zip64 field is missing or short
function M.widen(header, fields)
  local zip64, at = fields[ZIP64] or "", 1
  for _, key in ipairs { "size", "stored", "offset" } do
    if header[key] == M.FULL32 then
      if #zip64 - at + 1 < 8 then return nil end
      header[key], at = string.unpack("<i8", zip64, at)
      if not is_size(header[key]) then return nil end
    end
  end
  return true
end

-- Data descriptor, behind the data of an entry whose header was written before its sizes were known
--  [0 4 "PK\7\8"]   4 4 crc32   8 4 or 8 stored size   12 4 or 8 size
local descriptors = {
  [12] = "<I4I4I4", [16] = "<xxxxI4I4I4", [20] = "<I4i8i8", [24] = "<xxxxI4i8i8",
}

--- @return crc32, stored size, size of a descriptor that fills `text`; or nil
function M.parse_descriptor(text)
  local format = descriptors[#text]
  if not format then return nil end
  if #text % 8 == 0 and text:sub(1, 4) ~= "PK\7\8" then return nil end
  return string.unpack(format, text)
end

-- End of central directory
--  0 4 "PK\5\6"   4 2 disk   6 2 disk of directory   8 2 entries here   10 2 entries
-- 12 4 size of directory    16 4 offset of directory                    20 2 comment length
-- Its zip64 form, 56 bytes, and the locator that names its offset, 20 bytes, come before it:
--  0 4 "PK\6\6"   4 8 size of what follows (44)   12 2 made by   14 2 version   16 4 disk
-- 20 4 disk of directory    24 8 entries here     32 8 entries   40 8 size      48 8 offset
--  0 4 "PK\6\7"   4 4 disk   8 8 offset of the record above      16 4 disks (1)

--- @return whether the end needs the zip64 form
function M.is_end64(count, size, offset)
  return count >= M.FULL16 or size >= M.FULL32 or offset >= M.FULL32
end

--- Bytes after the central directory of `count` entries, `size` bytes at `offset`.
function M.ending(count, size, offset)
  local zip64 = ""
  if M.is_end64(count, size, offset) then
    zip64 = string.pack("<c4I8I2I2I4I4I8I8I8I8", "PK\6\6", 44, UNIX << 8 | 45, 45, 0, 0, count,
      count, size, offset) .. string.pack("<c4I4I8I4", "PK\6\7", 0, offset + size, 1)
  end
  count = math.min(count, M.FULL16)
  return zip64 .. string.pack("<c4I2I2I2I2I4I4I2", "PK\5\6", 0, 0, count, count,
    math.min(size, M.FULL32), math.min(offset, M.FULL32), 0)
end

--- @return fields of the 22-byte end record, or nil
function M.parse_end(text)
  if #text < M.END_SIZE or text:sub(1, 4) ~= "PK\5\6" then return nil end
  local e = {}
  e.disk, e.start_disk, e.here, e.count, e.size, e.offset, e.comment_length =
    string.unpack("<I2I2I2I2I4I4I2", text, 5)
  return e
end

--- @return offset of the zip64 end record, or nil
function M.parse_locator(text)
  if #text < M.LOCATOR_SIZE or text:sub(1, 4) ~= "PK\6\7" then return nil end
  local disk, offset, disks = string.unpack("<I4i8I4", text, 5)
  if disk ~= 0 or disks ~= 1 or not is_size(offset) then return nil end
  return offset
end

--- @return fields of the 56-byte zip64 end record, or nil
function M.parse_end64(text)
  if #text < M.END64_SIZE or text:sub(1, 4) ~= "PK\6\6" then return nil end
  local e = {}
  e.record, e.made_by, e.version, e.disk, e.start_disk, e.here, e.count, e.size, e.offset =
    string.unpack("<i8I2I2I4I4i8i8i8i8", text, 5)
  for _, key in ipairs { "record", "here", "count", "size", "offset" } do
    if not is_size(e[key]) then return nil end
  end
  return e.record >= 44 and e or nil
end

return M
