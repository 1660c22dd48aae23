-- One file's download: which pieces are asked for, and how it ends.
local parts = require "bittern.download.parts"
local files = require "bittern.download.files"
local recovery = require "bittern.download.recovery"
local source = require "bittern.download.source"

local M = {}

local SHARES <const> = 4 -- pieces for each connection, at least
local SMALLEST_PIECE <const> = 1 << 20

local Job = {}
Job.__index = Job

--- A job for a file; nothing is written yet.
-- @param file {url, path, size, sha256, headers}: size, sha256 and headers may be nil
-- @param options of download.run
-- @return job, or nil, message, code; "unknown_size" where the server does not say it
function M.new(file, options)
  local self = setmetatable({ file = file, options = options, running = {}, rounds = {} }, Job)
  recovery.start(self)
  local message, code
  self.remote, message, code = source.find(self)
  if not self.remote then return nil, message, code end
  return self
end

--- Opens the files, going on from what an earlier run left.
-- @return true, or nil, message, code; "locked" while another run fetches the same file
function Job:open()
  return files.open(self, true)
end

--- Closes what is open; the part and the state stay.
function Job:close()
  files.close(self)
end

--- Whether a piece can be asked for now.
function Job:is_ready(now)
  if now < self.not_before or not self.parts.free[1] then return false end
  return self.remote.ranges or next(self.running) == nil
end

-- Bytes of a piece: small enough that no connection is left with a large one at the end.
local function piece_size(self)
  local share = self.remote.size // (SHARES * self.options.parallel)
  return math.max(math.min(share, self.options.part), SMALLEST_PIECE)
end

--- Starts the next piece.
-- @param ranges core.http's ranges
-- @param id number of the range
-- @return true, or nil, message, code
function Job:start(ranges, id)
  local most = piece_size(self)
  local piece = assert(self.parts:take(self.remote.ranges and most or math.maxinteger >> 1))
  self.running[id], self.rounds[id] = piece, self.round
  return ranges:start {
    url = self.remote.url, headers = self.remote.headers, path = self.file.path .. ".part", id = id,
    first = piece[1], last = piece[2], total = self.remote.size, etag = self.remote.range_etag,
    stall_timeout = self.options.stall,
  }
end

--- A range of this job has ended.
-- @param event as core.http gives it
-- @return true, or nil, message, code; "restart" as a second value when all other ranges of this
--   job are of no use any more
function Job:ended(event, now)
  local piece, round = self.running[event.id], self.rounds[event.id]
  self.running[event.id], self.rounds[event.id] = nil, nil
  local received = event.received
  if received > 0 then recovery.forget(self) end
  -- Without parts there is no going on in the middle: other bytes may come the next time.
  if not self.remote.ranges and event.code then
    received = 0
    local ok, message, code = files.hash_anew(self)
    if not ok then return nil, message, code end
  end
  self.parts:finish(piece, received)
  if not event.code then return true end
  local before = self.parts
  local ok, message, code = recovery.after(self, event, now, round)
  if not ok then return nil, message, code end
  return true, before ~= self.parts and "restart" or nil
end

--- The ranges that are under way end here; what they brought counts.
-- @param ranges core.http's ranges
function Job:put_back(ranges)
  for id, piece in pairs(self.running) do
    self.parts:finish(piece, self.remote.ranges and ranges:received(id) or 0)
  end
  self.running = {}
end

--- Tells the hash what is there, and now and then notes the state.
-- @param ranges core.http's ranges
-- @param every bytes between two notes
-- @return bytes that are there, or nil, message, code
function Job:update(ranges, every)
  local ids = {}
  for id, piece in pairs(self.running) do ids[piece] = id end
  local missing = self.parts:missing(function(piece) return ranges:received(ids[piece]) end)
  if self.hash then self.hash:advance(missing[1] and missing[1][1] or self.remote.size) end
  local have = self.remote.size - parts.bytes(missing)
  if self.remote.ranges and (not self.noted or have - self.noted >= every) then
    self.noted = have
    local ok, message, code = self.state:write(self.remote, self.file.url, missing)
    if not ok then return nil, message, code end
  end
  return have
end

--- Whether all bytes are there.
function Job:is_whole()
  return not self.parts.free[1] and next(self.running) == nil
end

-- The hash is another one. What an earlier run left may be to blame; else it is the server.
local function refuse(self, digest, wanted)
  local why = ("its SHA-256 is %s, not %s"):format(digest, wanted)
  if self.resumed == 0 then
    files.remove(self)
    return nil, ("%s: %s"):format(source.shown(self.file.url), why), "integrity"
  end
  files.close(self)
  local ok, message, code = recovery.restart(self, why)
  if not ok then return nil, message, code end
  return false
end

--- Compares the hash and gives the file its name.
-- @return {path, size, sha256, url, verified = whether the hash was known before, resumed = bytes
--   that an earlier run left}; or nil, message, code; or false when it starts over
function Job:finish()
  self.hash:advance(self.remote.size)
  local digest, message, code = self.hash:hex()
  self.hash = nil
  if not digest then return nil, message, code end
  local wanted = source.wanted_hash(self)
  if wanted and wanted:lower() ~= digest then return refuse(self, digest, wanted) end
  local ok
  ok, message, code = self.part:commit()
  if not ok then return nil, message, code end
  self.state:close(true)
  return { path = self.file.path, size = self.remote.size, sha256 = digest, url = self.file.url,
    verified = wanted ~= nil, resumed = self.resumed }
end

return M
