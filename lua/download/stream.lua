-- A download of unknown length: one request from the first byte to the last, in one try.
local fs = require "core.fs"
local sha256 = require "core.sha256"

local http = require "bittern.http"

local M = {}

--- Downloads a file whose server does not say how large it is.
-- @param file {url, path, size, sha256, headers} as for download.run
-- @param options {on_progress}
-- @return as an entry of download.run's result, or nil, message, code
function M.run(file, options)
  local writer <close>, message, code = fs.create(file.path)
  if not writer then return nil, message, code end
  local hash, size = sha256.new(), 0
  local response
  response, message, code = http.get(file.url, {
    headers = file.headers, redirects = 5, timeout = 0,
    sink = function(piece)
      size = size + #piece
      hash:update(piece)
      if options.on_progress then options.on_progress(size, 0) end
      return writer:write(piece)
    end,
  })
  local name = file.url:match("^[^?#]*")
  if not response then return nil, message, code end
  if response.status ~= 200 then
    return nil, ("%s answers %d"):format(name, response.status), "http_status"
  end
  local digest = hash:hex()
  if file.sha256 and file.sha256:lower() ~= digest or file.size and file.size ~= size then
    return nil, ("%s gives %d bytes with SHA-256 %s"):format(name, size, digest), "integrity"
  end
  local ok
  ok, message, code = writer:commit()
  if not ok then return nil, message, code end
  return { path = file.path, size = size, sha256 = digest, url = file.url,
    verified = file.sha256 ~= nil, resumed = 0 }
end

return M
