-- What a zip file says of its entries: every offset is checked before it is used, every byte of the
-- file belongs to one entry or to the directory, and what two readers could understand differently
-- is refused.
local names = require "bittern.model.zip.names"
local records = require "bittern.model.zip.records"

local M = {}

-- Directories larger than these are not those of models.
local LARGEST <const> = 64 << 20
local MOST_ENTRIES <const> = 100000
local LONGEST_COMMENT <const> = 0xFFFF
local ENCRYPTED <const> = 0x0001 | 0x0040 | 0x2000
local DESCRIPTOR <const> = 0x0008
local TYPE_BITS <const> = { [3] = true, [19] = true } -- made on Unix, on macOS

-- What validators' Python reads: stored, deflate, bzip2, LZMA.
local methods = { [0] = true, [8] = true, [12] = true, [14] = true }

local function bad(code, format, ...)
  return nil, format:format(...), code
end

--- Where the last end record may begin, which is what makes others take a file for a zip archive.
-- @param source map of the file
-- @return offset, or nil
function M.find_mark(source)
  local size = source:size()
  local from = math.max(0, size - records.END_SIZE - LONGEST_COMMENT)
  local text, found = source:read(from, size - from), nil
  local at = text:find("PK\5\6", 1, true)
  while at do
    found, at = from + at - 1, text:find("PK\5\6", at + 1, true)
  end
  return found
end

-- The last end record, whose comment must reach exactly to the end of the file.
local function find_end(source)
  local size, at = source:size(), M.find_mark(source)
  local e = at and records.parse_end(source:read(at, math.min(records.END_SIZE, size - at)))
  if e and at + records.END_SIZE + e.comment_length == size then
    e.at = at
    return e
  end
  if at then return bad("archive_trailing", "its last bytes do not belong to the archive") end
  if size >= 4 and source:read(0, 4) == "PK\3\4" then
    return bad("archive_truncated", "a zip archive that is cut short")
  end
  return bad("archive_format", "not a zip archive")
end

-- The zip64 form of the end, when there is one. Without it, fields that are full are taken as they
-- are, and the checks of place and count decide.
local function read_end64(source, e)
  local locator = e.at - records.LOCATOR_SIZE
  local offset = locator >= 0 and records.parse_locator(source:read(locator, records.LOCATOR_SIZE))
  if not offset then return e end
  local e64 = records.parse_end64(source:read(offset, records.END64_SIZE) or "")
  if not e64 or e64.record > locator - offset or offset + 12 + e64.record ~= locator then
    return bad("archive_damaged", "its zip64 end record is broken")
  end
  e64.at = offset
  return e64
end

local function read_end(source)
  local e, message, code = find_end(source)
  if not e then return nil, message, code end
  e, message, code = read_end64(source, e)
  if not e then return nil, message, code end
  if e.disk ~= 0 or e.start_disk ~= 0 or e.here ~= e.count then
    return bad("archive_format", "spans several disks")
  end
  if e.offset > e.at or e.size ~= e.at - e.offset then
    return bad("archive_mismatch", "its directory is not where it says")
  end
  if e.size > LARGEST then
    return bad("archive_bomb", "its directory is too large (%d bytes)", e.size)
  end
  if e.count > MOST_ENTRIES then
    return bad("archive_bomb", "has %d entries, more than %d", e.count, MOST_ENTRIES)
  end
  return e
end

-- Type bits of a Unix mode: files (or none given) and folders only.
local function is_plain(h)
  if not TYPE_BITS[h.made_by >> 8] then return true end
  local kind = h.external >> 28
  return kind == 0 or kind == 8 or kind == 4
end

-- Names that two readers take for two.
local function check_name(h, fields)
  local ok, message, code = names.check(h.name)
  if not ok then return nil, message, code end
  if h.flags & records.UTF8_NAME == 0 and h.name:find("[\x80-\xFF]") then
    return bad("archive_path", "entry name '%s' is not marked as UTF-8",
      h.name:gsub("[\x80-\xFF]", "?"))
  end
  local other = fields[records.UNICODE_PATH]
  if other and other:sub(6) ~= h.name then
    return bad("archive_mismatch", "entry '%s' has another name beside", h.name)
  end
  return true
end

local function check_kind(h)
  if h.flags & ENCRYPTED ~= 0 then
    return bad("archive_encrypted", "entry '%s' is encrypted", h.name)
  end
  if not is_plain(h) then
    return bad("archive_link", "entry '%s' is a link or device", h.name)
  end
  if not methods[h.method] then
    return bad("archive_method", "entry '%s' is compressed by method %d, which validators do not "
      .. "read", h.name, h.method)
  end
  return true
end

local function check_sizes(h, fields)
  if h.disk ~= 0 then return bad("archive_format", "spans several disks") end
  if not records.widen(h, fields) then
    return bad("archive_damaged", "entry '%s' lacks its zip64 sizes", h.name)
  end
  if h.method == 0 and h.stored ~= h.size then
    return bad("archive_mismatch", "entry '%s' is stored with two sizes", h.name)
  end
  if h.name:sub(-1) == "/" and h.size > 0 then
    return bad("archive_mismatch", "folder '%s' has data", h.name)
  end
  return true
end

local function check_central(h)
  local fields = records.fields(h.extra)
  if not fields then
    return bad("archive_damaged", "an entry's extra fields are broken")
  end
  for _, judge in ipairs { check_name, check_kind, check_sizes } do
    local ok, message, code = judge(h, fields)
    if not ok then return nil, message, code end
  end
  return true
end

local function read_list(source, e)
  local text, at, list = source:read(e.offset, e.size), 1, {}
  while at <= #text and #list < e.count do
    local h, next_at = records.parse_central(text, at)
    if not h then
      return bad("archive_damaged", "its directory is broken at entry %d", #list + 1)
    end
    local ok, message, code = check_central(h)
    if not ok then return nil, message, code end
    list[#list + 1], at = h, next_at
  end
  if #list ~= e.count or at <= #text then
    return bad("archive_mismatch", "has other entries than the %d it says", e.count)
  end
  local ok, message, code = names.check_all(list)
  if not ok then return nil, message, code end
  return list
end

-- What the local header says again must be the same, or another reader sees another file.
local function agrees(l, h, name)
  if l.flags ~= h.flags or l.method ~= h.method or name ~= h.name then return false end
  local later = h.flags & DESCRIPTOR ~= 0
  if later and l.crc32 == 0 and l.size == 0 and l.stored == 0 then return true end
  return l.crc32 == h.crc32 and l.size == h.size and l.stored == h.stored
end

local function locate(source, h)
  local l = records.parse_local(source:read(h.offset, records.LOCAL_SIZE) or "")
  local tail = l and source:read(h.offset + records.LOCAL_SIZE, l.name_length + l.extra_length)
  if not tail then
    return bad("archive_damaged", "entry '%s' lies outside of the file", h.name)
  end
  local name, fields = tail:sub(1, l.name_length), records.fields(tail:sub(l.name_length + 1))
  if not fields or not records.widen(l, fields) or not agrees(l, h, name) then
    return bad("archive_mismatch", "entry '%s' is described in two ways", h.name)
  end
  h.data = h.offset + records.LOCAL_SIZE + #tail
  return true
end

-- Between an entry's data and `stop` there is nothing, or the sizes once more.
local function check_gap(source, h, stop)
  local gap = stop - h.data - h.stored
  if h.flags & DESCRIPTOR == 0 then
    if gap == 0 then return true end
    return bad("archive_trailing", "%d bytes after entry '%s' belong to none", gap, h.name)
  end
  local crc, stored, size = records.parse_descriptor(source:read(stop - gap, math.min(gap, 32)))
  if crc == h.crc32 and stored == h.stored and size == h.size then return true end
  return bad("archive_mismatch", "entry '%s' is described in another way behind its data", h.name)
end

-- Entries in the order of their bytes, none reaching into the next or into the directory.
local function place(source, list, limit)
  for _, h in ipairs(list) do
    local ok, message, code = locate(source, h)
    if not ok then return nil, message, code end
  end
  local order = table.move(list, 1, #list, 1, {})
  table.sort(order, function(a, b) return a.offset < b.offset end)
  local first = order[1] and order[1].offset or limit
  if first > 0 then
    return bad("archive_trailing", "%d bytes before its first entry belong to none", first)
  end
  for i, h in ipairs(order) do
    h.stop = order[i + 1] and order[i + 1].offset or limit
    if h.data > h.stop or h.stored > h.stop - h.data then
      return bad("archive_overlap", "entry '%s' overlaps what follows it", h.name)
    end
    local ok, message, code = check_gap(source, h, h.stop)
    if not ok then return nil, message, code end
  end
  return true
end

--- The headers of a zip file's entries.
-- @param source map of the file
-- @return array of {name, method, size, stored = bytes in the file, crc32, offset = of its local
--   header, data = of its bytes, stop = where what follows begins}; or nil, message, code
function M.read(source)
  local e, message, code = read_end(source)
  if not e then return nil, message, code end
  local list, why, id = read_list(source, e)
  if not list then return nil, why, id end
  local ok, reason, kind = place(source, list, e.offset)
  if not ok then return nil, reason, kind end
  return list
end

return M
