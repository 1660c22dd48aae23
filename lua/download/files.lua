-- The files of a job: the part that fills, the state beside it, and the hash that follows.
local fs = require "core.fs"
local sha256 = require "core.sha256"

local parts = require "bittern.download.parts"
local source = require "bittern.download.source"
local state = require "bittern.download.state"

local M = {}

-- What an earlier run left to do; all of it where there was none.
local function missing_of(job)
  local size = job.remote.size
  local left
  if job.remote.ranges and job.part:size() == size then
    left = state.read(job.file.path, job.remote, job.file.url, source.wanted_hash(job) ~= nil)
  end
  return left or parts.all(size)
end

local function check_room(job, missing)
  local need, free = parts.bytes(missing), fs.disk_free(job.part:temporary())
  if not free or need <= free then return true end
  return nil, ("%s: %d bytes are needed, %d are free"):format(job.file.path, need, free),
    "disk_full"
end

-- The part is as long as the file from here on, and what is noted is what is true: nothing of
-- another version is taken up later.
local function prepare(job, missing)
  local ok, message, code = check_room(job, missing)
  if ok then ok, message, code = job.part:truncate(job.remote.size) end
  if not ok then return nil, message, code end
  job.state, message, code = state.open(job.file.path)
  if not job.state then return nil, message, code end
  return job.state:write(job.remote, job.file.url, missing)
end

--- Hashes the part from its first byte on.
-- @return true, or nil, message, code
function M.hash_anew(job)
  local message, code
  if job.hash then job.hash:close() end
  job.hash, message, code = sha256.follow(job.file.path .. ".part")
  if not job.hash then return nil, message, code end
  return true
end

--- Opens part, state and hash.
-- @param job {file, remote, options}; it gets part, state, hash, parts, resumed
-- @param resumes whether what an earlier run left is taken up
-- @return true, or nil, message, code
function M.open(job, resumes)
  local message, code
  job.part, message, code = fs.part(job.file.path)
  if not job.part then return nil, message, code end
  local missing = resumes and missing_of(job) or parts.all(job.remote.size)
  local ok
  ok, message, code = prepare(job, missing)
  if ok then ok, message, code = M.hash_anew(job) end
  if not ok then return nil, message, code end
  job.parts = parts.new(job.remote.size, missing)
  job.resumed = job.remote.size - parts.bytes(missing)
  job.noted = nil
  return true
end

--- Closes what is open; the part and the state stay.
function M.close(job)
  if job.hash then job.hash:close() end
  if job.state then job.state:close() end
  if job.part then job.part:close() end
  job.hash, job.state, job.part = nil, nil, nil
end

--- Removes the part and the state: their bytes are wrong.
function M.remove(job)
  M.close(job)
  fs.remove(job.file.path .. ".part")
  fs.remove(job.file.path .. ".ranges.part")
end

return M
