-- Bytes that a server compresses on their way (Content-Encoding: gzip), both ways.
local archive = require "core.archive"
local fs = require "core.fs"
local map = require "core.map"

local M = {}

local EXTRA <const>, NAME <const>, COMMENT <const>, CHECKSUM <const> = 4, 8, 16, 2
local TRAILER <const> = 8

-- The offset of the deflate stream behind a header, or nil.
local function header_end(head)
  if #head < 10 or head:sub(1, 3) ~= "\31\139\8" then return nil end
  local flags, at = head:byte(4), 11
  if flags & EXTRA ~= 0 then
    if #head < at + 1 then return nil end
    at = at + 2 + ("<I2"):unpack(head, at)
  end
  for _, flag in ipairs { NAME, COMMENT } do
    if flags & flag ~= 0 then
      local zero = head:find("\0", at, true)
      if not zero then return nil end
      at = zero + 1
    end
  end
  return at - 1 + (flags & CHECKSUM ~= 0 and 2 or 0)
end

local function inflate(packed)
  local size = packed:size()
  local from = header_end(assert(packed:read(0, math.min(size, 1 << 16))))
  if not from or size < from + TRAILER then return nil, "is no gzip" end
  local checksum, length = ("<I4I4"):unpack(assert(packed:read(size - TRAILER, TRAILER)))
  local bytes, message = archive.inflate(packed:slice(from, size - TRAILER - from), length)
  if not bytes then return nil, message end
  if archive.crc32(bytes) ~= checksum then return nil, "its checksum is another" end
  return bytes
end

--- The gzip of some bytes.
function M.pack(bytes)
  return "\31\139\8\0\0\0\0\0\0\3" .. archive.deflate(bytes)
    .. ("<I4I4"):pack(archive.crc32(bytes), #bytes & 0xFFFFFFFF)
end

--- Unpacks a file in its place.
-- @param path string
-- @return size of what it holds now, or nil, the validator's words
function M.unpack(path)
  local packed <close>, message = map.open(path)
  if not packed then return nil, message end
  local bytes, why = inflate(packed)
  if not bytes then return nil, "submission artifact download failed: gzip: " .. why end
  local done, trouble = fs.write(path, bytes)
  if not done then return nil, trouble end
  return #bytes
end

return M
