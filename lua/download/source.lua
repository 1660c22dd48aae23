-- What a job's file must be, as far as the user and the server say.
local remote = require "bittern.download.remote"

local M = {}

--- A URL without what may be a key.
function M.shown(url)
  return url:match("^[^?#]*")
end

--- What the file's hash must be, where anybody said so; else nil.
-- @param job {file, remote}
function M.wanted_hash(job)
  return job.file.sha256 or job.remote.sha256
end

local function check_size(file, found)
  local name = M.shown(file.url)
  if not found.size then
    return nil, name .. ": the server does not say how large it is", "unknown_size"
  end
  if not file.size or file.size == found.size then return true end
  return nil, ("%s has %d bytes, not %d"):format(name, found.size, file.size), "integrity"
end

--- Finds out where the bytes are.
-- @param job {file, options}
-- @return as remote.find, its size known and as it must be; or nil, message, code; "unknown_size"
--   where the server does not say it
function M.find(job)
  local file, options = job.file, job.options
  local found, message, code = remote.find { url = file.url, headers = file.headers,
    pause = options.pause, stall = options.stall, say = options.say }
  if not found then return nil, message, code end
  local ok
  ok, message, code = check_size(file, found)
  if not ok then return nil, message, code end
  -- Nothing would tell parts of two versions apart.
  if not found.range_etag and not found.sha256 and not file.sha256 then found.ranges = false end
  return found
end

return M
