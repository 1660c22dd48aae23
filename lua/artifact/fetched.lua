-- An artifact as validators fetch it: one GET that follows no redirect, hashed as it comes.
local fs = require "core.fs"
local sha256 = require "core.sha256"
local sys = require "core.sys"

local hex = require "bittern.hex"
local http = require "bittern.http"
local paths = require "bittern.paths"
local report = require "bittern.report"

local M = {}

-- No artifact of a competition is larger; a server that never ends is cut off here.
local MOST <const> = 64 << 30

local function check_status(url, response)
  local status = response.status
  if status == 200 then return true end
  if status >= 300 and status < 400 then
    return nil, ("%s: answers %d, a redirect to %s; validators follow none"):format(url, status,
      report.clean(response.headers.location or "nowhere")), "redirect"
  end
  return nil, ("%s: answers %d, not 200"):format(url, status), "http_status"
end

-- One byte more than what it must be says enough.
local function most_of(options)
  return options.size and options.size + 1 or MOST
end

--- Fetches an artifact.
-- @param url string
-- @param options {size = what it must be, on_progress}
-- @param keep function(piece) -> true | nil, message, code; or nil
-- @return {size, sha256}; or nil, message, code; "integrity" when more bytes come than `size`
function M.get(url, options, keep)
  local hash <close>, size = sha256.new(), 0
  local response, message, code = http.get(url, {
    redirects = 0, timeout = 0, on_progress = options.on_progress, max_bytes = most_of(options),
    sink = function(piece)
      hash:update(piece)
      size = size + #piece
      if keep then return keep(piece) end
      return true
    end,
  })
  if not response and code == "too_large" and options.size then
    return nil, ("%s: has more than %d bytes"):format(url, options.size), "integrity"
  end
  if not response then return nil, message, code end
  local ok, why, id = check_status(url, response)
  if not ok then return nil, why, id end
  return { size = size, sha256 = hash:hex() }
end

--- Fetches an artifact into a file of the cache that nobody else has; the caller removes it.
-- @return {size, sha256, path}, or nil, message, code
function M.copy(url, options)
  local made, message, code = fs.mkdir(paths.cache())
  if not made then return nil, message, code end
  local path = ("%s/verify-%s.zip"):format(paths.cache(), hex.encode(sys.random(8)))
  local out <close>, why, id = fs.create(path)
  if not out then return nil, why, id end
  local found, reason, kind = M.get(url, options, function(piece) return out:write(piece) end)
  if not found then return nil, reason, kind end
  local ok, fault, cause = out:commit()
  if not ok then return nil, fault, cause end
  found.path = path
  return found
end

return M
