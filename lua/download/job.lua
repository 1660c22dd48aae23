-- One file's download: its part, its state, the hash that follows, and what to do when a piece
-- fails.
local fs = require "core.fs"
local sha256 = require "core.sha256"

local parts = require "bittern.download.parts"
local remote = require "bittern.download.remote"
local retry = require "bittern.retry"
local state = require "bittern.download.state"

local M = {}

local SHARES <const> = 4 -- pieces for each connection, at least
local SMALLEST_PIECE <const> = 1 << 20
local MOST_TRIES <const> = 6     -- in a row without a byte
local MOST_RESOLVES <const> = 8  -- of a URL that expires, without a byte
local MOST_RESTARTS <const> = 2  -- because the file changed or its hash was another

local Job = {}
Job.__index = Job

local function shown(url)
  return url:match("^[^?#]*")
end

local function find(self)
  local options = self.options
  return remote.find { url = self.file.url, headers = self.file.headers, pause = options.pause,
    stall = options.stall, say = options.say }
end

-- What the file's hash must be, where anybody said so.
local function wanted_hash(self)
  return self.file.sha256 or self.remote.sha256
end

local function check_size(self)
  local expected, size = self.file.size, self.remote.size
  if not expected or not size or expected == size then return true end
  return nil, ("%s has %d bytes, not %d"):format(shown(self.file.url), size, expected), "integrity"
end

-- What an earlier run left to do; all of it where there was none.
local function missing_of(self)
  local size = self.remote.size
  local left
  if self.remote.ranges and self.part:size() == size then
    left = state.read(self.file.path, self.remote, self.file.url, wanted_hash(self) ~= nil)
  end
  return left or parts.all(size)
end

local function check_room(self, missing)
  local need, free = parts.bytes(missing), fs.disk_free(self.part:temporary())
  if not free or need <= free then return true end
  return nil, ("%s: %d bytes are needed, %d are free"):format(self.file.path, need, free),
    "disk_full"
end

-- Opens part, state and hash, from the first byte unless `resumes`. The part is as long as the file
-- from here on, and what is noted is what is true: nothing of another version is taken up later.
local function open_files(self, resumes)
  local path, message, code = self.file.path
  self.part, message, code = fs.part(path)
  if not self.part then return nil, message, code end
  local missing = resumes and missing_of(self) or parts.all(self.remote.size)
  local ok
  ok, message, code = check_room(self, missing)
  if not ok then return nil, message, code end
  ok, message, code = self.part:truncate(self.remote.size)
  if not ok then return nil, message, code end
  self.state, message, code = state.open(path)
  if not self.state then return nil, message, code end
  ok, message, code = self.state:write(self.remote, self.file.url, missing)
  if not ok then return nil, message, code end
  self.hash, message, code = sha256.follow(path .. ".part")
  if not self.hash then return nil, message, code end
  self.parts = parts.new(self.remote.size, missing)
  self.resumed = self.remote.size - parts.bytes(missing)
  self.noted = nil
  return true
end

--- A job for a file; nothing is written yet.
-- @param file {url, path, size, sha256, headers}: size, sha256 and headers may be nil
-- @param options of download.run
-- @return job, or nil, message, code; "unknown_size" where the server does not say it
function M.new(file, options)
  local self = setmetatable({ file = file, options = options, tries = 0, resolves = 0,
    restarts = 0, not_before = 0, running = {}, round = 0, rounds = {} }, Job)
  local message, code
  self.remote, message, code = find(self)
  if not self.remote then return nil, message, code end
  if not self.remote.size then
    return nil, ("%s: the server does not say how large it is"):format(shown(file.url)),
      "unknown_size"
  end
  local ok
  ok, message, code = check_size(self)
  if not ok then return nil, message, code end
  return self
end

--- Opens the files, going on from what an earlier run left.
-- @return true, or nil, message, code; "locked" while another run fetches the same file
function Job:open()
  return open_files(self, true)
end

--- Closes what is open; the part and the state stay.
function Job:close()
  if self.hash then self.hash:close() end
  if self.state then self.state:close() end
  if self.part then self.part:close() end
  self.hash, self.state, self.part = nil, nil, nil
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

-- From the first byte again: what is there is of another version, or wrong.
local function restart(self, why)
  self.restarts = self.restarts + 1
  if self.restarts > MOST_RESTARTS then
    return nil, ("%s: %s, %d times"):format(shown(self.file.url), why, self.restarts), "integrity"
  end
  self.options.say(("%s: %s; starting over"):format(shown(self.file.url), why))
  local found, message, code = find(self)
  if not found then return nil, message, code end
  if not found.size then
    return nil, shown(self.file.url) .. ": has no size any more", "invalid_response"
  end
  found.ranges = self.remote.ranges and found.ranges
  self.remote = found
  local ok
  ok, message, code = check_size(self)
  if not ok then return nil, message, code end
  self:close()
  self.running = {}
  return open_files(self, false)
end

-- The URL where the bytes are has expired, or never was good.
local function resolve(self, event)
  self.resolves = self.resolves + 1
  local found, message, code = find(self)
  if not found then return nil, message, code end
  if found.size ~= self.remote.size or found.etag ~= self.remote.etag then
    return restart(self, "it has changed")
  end
  if self.resolves > MOST_RESOLVES then
    return nil, ("%s answers %d"):format(shown(self.remote.url), event.status), "access"
  end
  found.ranges = self.remote.ranges
  self.remote = found
  return true
end

local temporary <const> = { network = true, timeout = true, unreachable = true }
local expired <const> = { [401] = true, [403] = true, [404] = true, [410] = true }
local busy <const> = { [408] = true, [429] = true, [500] = true, [502] = true, [503] = true,
  [504] = true }

local function wait(self, event, now)
  self.tries = self.tries + 1
  local reason = event.code == "http_status" and ("answers %d"):format(event.status)
    or event.message
  local what = ("%s: %s"):format(shown(self.remote.url), reason)
  if self.tries >= MOST_TRIES then return nil, what, event.code end
  local seconds, why = retry.delay(self.tries, event, self.options.pause)
  self.options.say(("%s; again in %.1f s%s"):format(what, seconds, why))
  self.not_before = now + seconds
  return true
end

-- Whether a failure says something new: what befalls a server fails all pieces that are under way,
-- and counts once.
local function is_news(self, round)
  if round < self.round then return false end
  self.round = self.round + 1
  return true
end

-- Decides after a piece that failed, of those that were started in `round`.
local function recover(self, event, now, round)
  if event.code == "not_partial" or event.code == "http_status" and event.status == 416 then
    if event.code == "not_partial" then self.remote.ranges = false end
    return restart(self, event.message)
  end
  if event.code == "changed" then return restart(self, "it has changed") end
  local status = event.code == "http_status" and event.status
  local passing = temporary[event.code] or busy[status]
  if (passing or expired[status]) and not is_news(self, round) then return true end
  if expired[status] then return resolve(self, event) end
  if passing then return wait(self, event, now) end
  local what = status and (" answers %d"):format(status) or ": " .. event.message
  return nil, shown(self.remote.url) .. what, event.code
end

--- A range of this job has ended.
-- @param event as core.http gives it
-- @return true, or nil, message, code; "restart" as a second value when all other ranges of this
--   job are of no use any more
function Job:ended(event, now)
  local piece, round = self.running[event.id], self.rounds[event.id]
  self.running[event.id], self.rounds[event.id] = nil, nil
  local received = event.received
  -- Without parts there is no going on in the middle.
  if not self.remote.ranges and event.code then received = 0 end
  self.parts:finish(piece, received)
  if received > 0 then self.tries, self.resolves = 0, 0 end
  if not event.code then return true end
  local before = self.parts
  local ok, message, code = recover(self, event, now, round)
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

--- Compares the hash and gives the file its name.
-- @return {path, size, sha256, url, verified = whether the hash was known before, resumed = bytes
--   that an earlier run left}; or nil, message, code; or false when it starts over
function Job:finish()
  self.hash:advance(self.remote.size)
  local digest, message, code = self.hash:hex()
  self.hash = nil
  if not digest then return nil, message, code end
  local wanted = wanted_hash(self)
  if wanted and wanted:lower() ~= digest then
    local why = ("its SHA-256 is %s, not %s"):format(digest, wanted)
    self:close()
    if self.resumed == 0 then
      fs.remove(self.file.path .. ".part")
      fs.remove(self.file.path .. ".ranges.part")
      return nil, ("%s: %s"):format(shown(self.file.url), why), "integrity"
    end
    local ok, problem, id = restart(self, why)
    if not ok then return nil, problem, id end
    return false
  end
  local ok
  ok, message, code = self.part:commit()
  if not ok then return nil, message, code end
  self.state:close(true)
  return { path = self.file.path, size = self.remote.size, sha256 = digest, url = self.file.url,
    verified = wanted ~= nil, resumed = self.resumed }
end

return M
