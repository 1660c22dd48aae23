-- The bytes of one entry of a zip file, piece by piece: lent by the map where they are stored, else
-- decompressed, counted and compared with what the directory says.
local archive = require "core.archive"
local sys = require "core.sys"

local M = {}

-- Entries up to this size are inflated at once, which is faster and needs no other library.
local WHOLE <const> = 16 << 20
local STEP <const> = 8 << 20
local STORED <const>, DEFLATED <const> = 0, 8

-- A job is {source = map of the archive, path = its name in messages, entry, visit}.

local function bad(job, code, format, ...)
  return nil, ("%s: entry '%s' "):format(job.path, job.entry.name) .. format:format(...), code
end

local function each_step(job)
  local entry, at = job.entry, 0
  while at < entry.size do
    local count = math.min(STEP, entry.size - at)
    local ok, message, code = job.visit(job.source:slice(entry.offset + at, count), count)
    if not ok then return nil, message, code end
    at = at + count
  end
  return true
end

local function at_once(job)
  local entry = job.entry
  local inflated = archive.inflate(job.source:slice(entry.offset, entry.stored), entry.size)
  if inflated then return job.visit(inflated, entry.size) end
  return bad(job, "archive_damaged", "is damaged: it does not inflate to %d bytes", entry.size)
end

-- libarchive reads the local header once more: it must see the same entry.
local function open_member(job)
  local unpack, entry = require "core.unpack", job.entry
  local member, message, code = unpack.member(
    job.source:slice(entry.header, entry.stop - entry.header), { most = entry.size })
  if not member then return bad(job, code, "is damaged: %s", message) end
  local seen, why, id = member:next()
  if seen and seen.name == entry.name and (seen.size or entry.size) == entry.size then
    return member
  end
  member:close()
  if seen == nil then return bad(job, id, "is damaged: %s", why) end
  return bad(job, "archive_mismatch", "is described in two ways")
end

local function streamed(job)
  local member <close>, message, code = open_member(job)
  if not member then return nil, message, code end
  while true do
    local size, why, id = member:block()
    if not size then return bad(job, id, "is damaged: %s", why) end
    if size == 0 then break end
    local ok, reason, kind = job.visit(member, size)
    if not ok then return nil, reason, kind end
  end
  if member:unpacked() == job.entry.size then return true end
  return bad(job, "archive_mismatch", "has %d bytes, not the %d it says", member:unpacked(),
    job.entry.size)
end

local function way_of(entry)
  if entry.method == STORED then return each_step end
  if entry.method == DEFLATED and entry.size <= WHOLE then return at_once end
  return streamed
end

--- Reads an entry through.
-- @param job {source = map of the archive, path = what to call it in messages, entry = of
--   bittern.model.zip, visit = function(bytes, size) -> true, or nil, message,
--   code to stop; the bytes are good until it returns}
-- @return true, or nil, message, code
function M.read(job)
  local entry, crc = job.entry, 0
  local function visit(piece, size)
    local why, id
    crc, why, id = archive.crc32(piece, crc, sys.cores())
    if not crc then return nil, why, id end
    return job.visit(piece, size)
  end
  local ok, message, code = way_of(entry) {
    source = job.source, path = job.path, entry = entry, visit = visit,
  }
  if not ok then return nil, message, code end
  if crc == entry.crc32 then return true end
  return bad(job, "archive_damaged", "is damaged: its CRC-32 is %08x, not %08x", crc, entry.crc32)
end

return M
