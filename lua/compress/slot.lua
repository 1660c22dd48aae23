-- Where a tensor lies in a part, and how far it is filled: {at, size, next = where the next byte
-- goes, crc32 = of the bytes so far}.
local archive = require "core.archive"

local filled = require "bittern.model.zip.filled"
local place = require "bittern.compress.place"

local M = {}

--- A slot with nothing in it.
-- @param at offset in the file
-- @param size in bytes
function M.new(at, size)
  return { at = at, size = size, next = at, crc32 = 0 }
end

--- Makes a part ready for its tensors: its size, and the header in front of them.
-- @param part of core.fs
-- @param file {path, size, base = where the header goes, header, fresh = whether nothing in it can
--   be used}
-- @return true, or nil, message, code
function M.prepare(part, file)
  local ok, message, code = true, nil, nil
  if file.fresh then ok, message, code = part:truncate(0) end
  if ok then ok, message, code = place.check_room(file.path, file.size, part) end
  if ok then ok, message, code = part:truncate(file.size) end
  if ok then ok, message, code = part:write_at(file.base, file.header) end
  if not ok then return nil, message, code end
  return true
end

--- Appends bytes.
-- @param source string, slice or buffer
-- @param size of it in bytes
-- @return true, or nil, message, code
function M.put(part, slot, source, size)
  assert(slot.next + size <= slot.at + slot.size, "a tensor is longer than its plan")
  local ok, message, code = part:write_at(slot.next, source)
  if not ok then return nil, message, code end
  local crc, why, id = archive.crc32(source, slot.crc32)
  if not crc then return nil, why, id end
  slot.next, slot.crc32 = slot.next + size, crc
  return true
end

--- Whether an earlier run has filled it.
-- @param bytes map of the part
-- @param crc32 that the run noted
function M.holds(slot, bytes, crc32)
  return filled.crc32(bytes, slot.at, slot.size) == crc32
end

--- Takes what an earlier run wrote.
function M.fill(slot, crc32)
  slot.next, slot.crc32 = slot.at + slot.size, crc32
end

--- Whether all of it is there.
function M.is_full(slot)
  return slot.next == slot.at + slot.size
end

return M
