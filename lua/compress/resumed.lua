-- A file of tensors, filled in the order of its bytes, that goes on after it was stopped: a part
-- and a journal of the tensors that are whole stay beside its name. Its hash follows the work.
local fs = require "core.fs"
local map = require "core.map"
local sha256 = require "core.sha256"

local journals = require "bittern.compress.journal"
local slots = require "bittern.compress.slot"

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

local function begin(self, header)
  local ok, message, code = slots.prepare(self.part, { path = self.path, size = self.size, base = 0,
    header = header, fresh = not next(self.noted) })
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
    self.places[t.name] = slots.new(#contents.header + t.offset, t.size)
  end
  local ok
  self.part, message, code = fs.part(path)
  if self.part then ok, message, code = begin(self, contents.header) end
  if ok then return self end
  self:close()
  return nil, message, code
end

--- Whether a tensor and all before it are there from an earlier run. Asked in the order of bytes.
function Resumed:holds(name)
  local slot, crc = self.places[name], self.noted[name]
  local source <close> = crc and not self.broken and map.open(self.part:temporary()) or nil
  self.broken = not source or not slots.holds(slot, source, crc)
  if self.broken then return false end
  slots.fill(slot, crc)
  self.there = self.there + 1
  self.follower:advance(slot.next)
  return true
end

--- Appends bytes to a tensor.
-- @return true, or nil, message, code
function Resumed:put(name, source, size)
  if size == 0 then return true end
  local slot = self.places[name]
  local ok, message, code = slots.put(self.part, slot, source, size)
  if not ok then return nil, message, code end
  self.follower:advance(slot.next)
  return true
end

--- Notes that a tensor is whole.
-- @return true, or nil, message, code
function Resumed:done(name)
  local slot = self.places[name]
  assert(slots.is_full(slot), "a tensor is shorter than its plan")
  return self.journal:add(string.pack("<s4I4", name, slot.crc32))
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
