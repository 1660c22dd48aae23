-- Archives made byte by byte, so that a test can make any field of them wrong.
local archive = require "core.archive"
local support = require "tests.support"

local M = {}

-- --- zip ---------------------------------------------------------------------------------------

local function local_header(e)
  local l = setmetatable(e.at_local or {}, { __index = e })
  return string.pack("<c4I2I2I2I2I2I4I4I4I2I2", l.mark or "PK\3\4", 20, l.flags, l.method, 0, 0x21,
    l.local_crc32 or l.crc32, l.stored, l.size, #l.name, #l.extra) .. l.name .. l.extra
end

local function central_header(e)
  local c = setmetatable(e.at_central or {}, { __index = e })
  local comment = c.comment or ""
  return string.pack("<c4I2I2I2I2I2I2I4I4I4I2I2I2I2I2I4I4", c.mark or "PK\1\2", c.made_by, 20,
    c.flags, c.method, 0, 0x21, c.crc32, c.stored, c.size, c.name_length or #c.name, #c.extra,
    #comment, c.disk or 0, 0, c.mode << 16, c.offset) .. c.name .. c.extra .. comment
end

-- An entry's fields: those given, else what is right for its text.
local function filled(given, offset)
  local text = given.text or ""
  local data = given.data or given.method == 8 and archive.deflate(text) or text
  local e = {
    method = 0, flags = 0, extra = "", made_by = 3 << 8 | 20, mode = 0x81A4, offset = offset,
    crc32 = archive.crc32(text), size = #text, stored = #data, data = data, behind = "",
  }
  for key, value in pairs(given) do e[key] = value end
  return e
end

--- A zip file.
-- @param entries array of {name, text, and any field of either header}; at_local and at_central
--   hold fields of one of them only; `behind` = bytes after the data
-- @param options {before = bytes, gap = bytes before the directory, between = bytes after it, and
--   any field of the end record: disk, start_disk, here, count, size, offset, comment, length}
function M.zip(entries, options)
  local o = options or {}
  local parts, directory, at = { o.before or "" }, {}, #(o.before or "")
  for i, given in ipairs(entries) do
    local e = filled(given, at)
    parts[#parts + 1] = local_header(e) .. e.data .. e.behind
    directory[i] = central_header(e)
    at = at + #parts[#parts]
  end
  parts[#parts + 1] = o.gap or ""
  at = at + #(o.gap or "")
  local text, comment = table.concat(directory), o.comment or ""
  return table.concat(parts) .. text .. (o.between or "") .. string.pack("<c4I2I2I2I2I4I4I2",
    "PK\5\6", o.disk or 0, o.start_disk or 0, o.here or #entries, o.count or #entries,
    o.size or #text, o.offset or at, o.length or #comment) .. comment
end

-- --- tar ---------------------------------------------------------------------------------------

local function padded(text)
  return text .. ("\0"):rep(-#text % 512)
end

--- A header block of a tar.
-- @param e {name, size, type = "0", mode, link, prefix, magic; size_field, sum = texts of fields}
function M.tar_header(e)
  local size = e.size_field or ("%011o\0"):format(e.size or 0)
  local head = string.pack("c100c8c8c8c12c12", e.name, "0000644\0", "0000000\0", "0000000\0", size,
    "00000000000\0")
  local tail = string.pack("c1c100c8c32c32c8c8c155c12", e.type or "0", e.link or "",
    e.magic or "ustar\00000", "", "", "", "", e.prefix or "", "")
  local sum = 8 * 32
  for i = 1, #head do sum = sum + head:byte(i) end
  for i = 1, #tail do sum = sum + tail:byte(i) end
  return head .. (e.sum or ("%06o\0 "):format(sum)) .. tail
end

--- The extended header (pax) that precedes an entry.
-- @param records {key = value}, or the text itself
-- @param kind "x" for the next entry, "g" for all
function M.pax(records, kind)
  local text = records
  if type(records) == "table" then
    local lines = {}
    for key, value in pairs(records) do
      local rest = " " .. key .. "=" .. value .. "\n"
      local length = #rest + #tostring(#rest)
      length = #rest + #tostring(length)
      lines[#lines + 1] = length .. rest
    end
    table.sort(lines)
    text = table.concat(lines)
  end
  return M.tar_header { name = "pax", type = kind or "x", size = #text } .. padded(text)
end

--- A tar file.
-- @param entries array of {name, text, as tar_header; before = bytes in front of its header}
-- @param ending bytes instead of the two blocks of zeros
function M.tar(entries, ending)
  local parts = {}
  for _, e in ipairs(entries) do
    local text = e.text or ""
    local header = setmetatable({ size = e.size or #text }, { __index = e })
    parts[#parts + 1] = (e.before or "") .. M.tar_header(header) .. padded(text)
  end
  return table.concat(parts) .. (ending or ("\0"):rep(1024))
end

-- --- compression -------------------------------------------------------------------------------

--- A gzip file of one member.
-- @param o {crc32, size} to be wrong about, or nil
function M.gzip(text, o)
  o = o or {}
  return "\x1F\x8B\8\0\0\0\0\0\0\3" .. archive.deflate(text)
    .. string.pack("<I4I4", o.crc32 or archive.crc32(text), o.size or #text & 0xFFFFFFFF)
end

local function by_python(module, text)
  local path = support.folder() .. "/x"
  assert(require "core.fs".write(path, text))
  support.python("import sys, " .. module .. "\np = sys.argv[1]\nb = open(p, 'rb').read()\n"
    .. "open(p, 'wb').write(" .. module .. ".compress(b))", path)
  return assert(require "core.fs".read(path))
end

function M.bzip2(text) return by_python("bz2", text) end

function M.xz(text) return by_python("lzma", text) end

return M
