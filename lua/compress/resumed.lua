-- A file of tensors, filled in the order of its bytes, that goes on after it was stopped: a part
-- and a journal of the tensors that are whole stay beside its name. Its hash follows the work.
local archive = require "core.archive"
local fs = require "core.fs"
local map = require "core.map"
local sha256 = require "core.sha256"

local filled = require "bittern.model.zip.filled"
local journals = require "bittern.compress.journal"
local place = require "bittern.compress.place"

local M = {}

local Resumed = {}
Resumed.__index = Resumed
Resumed.__name = "file that is resumed"

-- Checksums by name that an earlier run noted.
local function noted(journal)
  local list = {}
  for _, text in ipairs(journal.records) do
    local name, crc = string.unpack("<s4I4", text)
    list[name] = crc
  end
  return list
end

local function begin(self, path, header, fresh)
  local ok, message, code = true, nil, nil
  if fresh then ok, message, code = self.part:truncate(0) end
  if ok then ok, message, code = place.check_room(path, self.size, self.part) end
  if ok then ok, message, code = self.part:truncate(self.size) end
  if ok then ok, message, code = self.part:write_at(0, header) end
  if not ok then return nil, message, code end
  self.follower, message, code = sha256.follow(self.part:temporary())
  if not self.follower then return nil, message, code end
  return true
end

--- Opens the part of a file, and goes on with it where it is of the same work.
-- @param path string; nothing is there before commit
-- @param contents {header, tensors = array of {name, offset behind the header, size} in the order
--   of their bytes, total = bytes behind the header}
-- @param key see bittern.compress.journal
-- @return file to put tensors into and to commit, as bittern.model.placed, and changed = what is
--   another than last time; or nil, message, code
function M.create(path, contents, key)
  local journal, message, code = journals.open(path, key)
  if not journal then return nil, message, code end
  local self = setmetatable({ path = path, journal = journal, places = {}, there = 0,
    size = #contents.header + contents.total, noted = noted(journal), changed = journal.changed },
    Resumed)
  for _, t in ipairs(contents.tensors) do
    local at = #contents.header + t.offset
    self.places[t.name] = { at = at, next = at, size = t.size, crc32 = 0 }
  end
  local ok
  self.part, message, code = fs.part(path)
  if self.part then ok, message, code = begin(self, path, contents.header, not next(self.noted)) end
  if ok then return self end
  self:close()
  return nil, message, code
end

--- Whether a tensor and all before it are there from an earlier run. Asked in the order of bytes.
function Resumed:holds(name)
  local at, crc = self.places[name], self.noted[name]
  if self.broken or not crc then
    self.broken = true
    return false
  end
  local source <close> = map.open(self.part:temporary())
  self.broken = not source or filled.crc32(source, at.at, at.size) ~= crc
  if self.broken then return false end
  at.next, self.there = at.at + at.size, self.there + 1
  self.follower:advance(at.next)
  return true
end

--- Appends bytes to a tensor.
-- @return true, or nil, message, code
function Resumed:put(name, source, size)
  if size == 0 then return true end
  local at = self.places[name]
  assert(at.next + size <= at.at + at.size, "a tensor is longer than its plan")
  local ok, message, code = self.part:write_at(at.next, source)
  if not ok then return nil, message, code end
  local crc, why, id = archive.crc32(source, at.crc32)
  if not crc then return nil, why, id end
  at.next, at.crc32 = at.next + size, crc
  self.follower:advance(at.next)
  return true
end

--- Notes that a tensor is whole.
-- @return true, or nil, message, code
function Resumed:done(name)
  local at = self.places[name]
  assert(at.next == at.at + at.size, "a tensor is shorter than its plan")
  return self.journal:add(string.pack("<s4I4", name, at.crc32))
end

--- Gives the file its name.
-- @return bytes of the file, its SHA-256; or nil, message, code
function Resumed:commit()
  self.follower:advance(self.size)
  local ok, message, code = self.part:sync()
  if not ok then return nil, message, code end
  local hash, why, id = self.follower:hex()
  if not hash then return nil, why, id end
  ok, message, code = self.part:commit()
  if not ok then return nil, message, code end
  self.journal:remove()
  return self.size, hash
end

--- Removes what a stopped run leaves: nothing in it will be wanted.
function M.discard(path)
  fs.remove(path .. ".journal.part")
  return fs.remove(path .. ".part")
end

--- Without a commit, what was written stays for the next run.
function Resumed:close()
  if self.follower then self.follower:close() end
  if self.part then self.part:close() end
  self.journal:close()
end

Resumed.__close = Resumed.close

return M
