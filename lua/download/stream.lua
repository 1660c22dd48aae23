-- A download of unknown length: one request from the first byte to the last, in one try.
local fs = require "core.fs"
local sha256 = require "core.sha256"
local sys = require "core.sys"

local http = require "bittern.http"

local M = {}

local CREDIT <const> = 0.1 -- s for which a bandwidth that was not used may be used later

-- Waits after a piece as long as it takes at that speed; what is not read waits in the socket.
local function pace(speed)
  local due = sys.clock()
  return function(bytes)
    if speed == 0 then return true end
    due = math.max(due, sys.clock() - CREDIT) + bytes / speed
    local early = due - sys.clock()
    if early <= 0 then return true end
    return sys.sleep(early)
  end
end

-- What is wrong with the answer, as nil, message, code; or true.
local function judge(file, response, digest, size)
  local name = file.url:match("^[^?#]*")
  if response.status ~= 200 then
    return nil, ("%s answers %d"):format(name, response.status), "http_status"
  end
  local encoding = response.headers["content-encoding"]
  if encoding and encoding:lower() ~= "identity" then
    return nil, ("%s sends the file encoded (%s)"):format(name, encoding), "encoded"
  end
  if file.sha256 and file.sha256:lower() ~= digest or file.size and file.size ~= size then
    return nil, ("%s gives %d bytes with SHA-256 %s"):format(name, size, digest), "integrity"
  end
  return true
end

--- Downloads a file whose server does not say how large it is.
-- @param file {url, path, size, sha256, headers} as for download.run
-- @param options of download.run
-- @return as an entry of download.run's result, or nil, message, code
function M.run(file, options)
  local writer <close>, message, code = fs.create(file.path)
  if not writer then return nil, message, code end
  local hash, size, hold = sha256.new(), 0, pace(options.speed)
  local response
  response, message, code = http.get(file.url, {
    headers = file.headers, redirects = 5, timeout = 0, stall_timeout = options.stall,
    sink = function(piece)
      size = size + #piece
      hash:update(piece)
      if options.on_progress then options.on_progress(size, 0) end
      local ok, why, id = writer:write(piece)
      if not ok then return nil, why, id end
      return hold(#piece)
    end,
  })
  if not response then return nil, message, code end
  local digest = hash:hex()
  local ok
  ok, message, code = judge(file, response, digest, size)
  if ok then ok, message, code = writer:commit() end
  if not ok then return nil, message, code end
  return { path = file.path, size = size, sha256 = digest, url = file.url,
    verified = file.sha256 ~= nil, resumed = 0 }
end

return M
