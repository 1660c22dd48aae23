-- What a compression has done so far, beside the part that it fills: it goes on after it was
-- stopped, whatever stopped it.
--
-- Records lie one after the other, `u32 length, u32 crc32, bytes`; the first says what is being
-- compressed, and how. A record that was cut off, and whatever follows it, does not count.
local archive = require "core.archive"
local fs = require "core.fs"
local map = require "core.map"

local canonical = require "bittern.canonical"
local check = require "bittern.check"

local M = {}

local HEADER <const>, HEADER_SIZE <const> = "<I4I4", 8

local Journal = {}
Journal.__index = Journal
Journal.__name = "journal"

-- The records of a file: array of texts, and where the last whole one ends.
local function read(path)
  local records, at = {}, 0
  local source <close> = map.open(path)
  while source and source:size() - at >= HEADER_SIZE do
    local length, crc = string.unpack(HEADER, source:read(at, HEADER_SIZE))
    if length > source:size() - at - HEADER_SIZE then break end
    local text = source:read(at + HEADER_SIZE, length)
    if archive.crc32(text, 0) ~= crc then break end
    records[#records + 1] = text
    at = at + HEADER_SIZE + length
  end
  return records, at
end

-- Which part of the key is another than in the first record; false when none is.
local function difference(text, key)
  local before = canonical.decode(text)
  if type(before) ~= "table" then return "journal" end
  for _, name in ipairs(check.sorted_keys(key)) do
    if before[name] ~= key[name] then return name end
  end
  return false
end

--- Opens the journal beside a part, and begins a new one when it is of other work.
-- @param path of the part's final file
-- @param key {name = text} of everything that the bytes depend on
-- @return journal with records = array of texts to go on from, and changed = name of what is
--   another than last time, or nil; or nil, message, code
function M.open(path, key)
  local self = setmetatable({ path = path .. ".journal" }, Journal)
  local records, at = read(self.path .. ".part")
  if records[1] then self.changed = difference(records[1], key) or nil end
  if not records[1] or self.changed then records, at = {}, 0 end
  local file, message, code = fs.part(self.path)
  if not file then return nil, message, code end
  self.file, self.at, self.records = file, at, {}
  local ok, why, id = file:truncate(at)
  if ok and not records[1] then ok, why, id = self:add(assert(canonical.encode(key))) end
  if not ok then
    file:close()
    return nil, why, id
  end
  self.records = table.move(records, 2, #records, 1, {})
  return self
end

--- Adds a record. It outlives this process, not a loss of power; then its checksum fails.
-- @return true, or nil, message, code
function Journal:add(text)
  local record = string.pack(HEADER, #text, archive.crc32(text, 0)) .. text
  local ok, message, code = self.file:write_at(self.at, record)
  if not ok then return nil, message, code end
  self.at = self.at + #record
  return true
end

--- Ends it: the work is done.
function Journal:remove()
  self.file:close()
  return fs.remove(self.path .. ".part")
end

--- Keeps it for the next run.
function Journal:close()
  self.file:close()
end

Journal.__close = Journal.close

return M
