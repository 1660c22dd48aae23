-- Putting an artifact at a URL, and proving that the URL gives those very bytes back.
local sha256 = require "core.sha256"

local http = require "bittern.http"
local script = require "bittern.script"

local M = {}

-- A body longer than promised is not read to its end; some slack, so that a server's error page
-- is reported by its status and not by its length.
local SLACK <const> = 1 << 20

local redirects = { [301] = true, [302] = true, [303] = true, [307] = true, [308] = true }

-- What the answer's head already says is wrong, or nil.
local function objection(url, response)
  if redirects[response.status] then
    local to = response.headers.location or "nowhere"
    return ("%s answers %d, a redirect to %s"):format(url, response.status, to), "redirect"
  end
  if response.status == 404 or response.status == 410 then
    return ("%s answers %d"):format(url, response.status), "not_found"
  end
  if response.status ~= 200 then
    return ("%s answers %d, not 200"):format(url, response.status), "http_status"
  end
  return nil
end

--- Downloads a URL as a validator does (no redirects, every byte) and compares.
-- @param url string
-- @param artifact {size=, sha256=}
-- @param on_progress function(done, total) or nil
-- @return true, or nil, message, code ("redirect", "integrity", ...)
function M.prove(url, artifact, on_progress)
  local hash, size = sha256.new(), 0
  local response, message, code = http.get(url, {
    redirects = 0, timeout = 0, on_progress = on_progress,
    sink = function(chunk)
      size = size + #chunk
      if size > artifact.size + SLACK then return nil, "longer than published", "integrity" end
      hash:update(chunk)
      return true
    end,
  })
  if not response then return nil, ("%s: %s"):format(url, message), code end
  message, code = objection(url, response)
  if message then return nil, message, code end
  if size ~= artifact.size then
    return nil, ("%s gives %d bytes, not %d"):format(url, size, artifact.size), "integrity"
  end
  local digest = hash:hex()
  if digest == artifact.sha256 then return true end
  return nil, ("%s gives other bytes: SHA-256 %s, not %s"):format(url, digest, artifact.sha256),
    "integrity"
end

--- Publishes a file and proves that it arrived.
-- @param ctx what publishers see: {base= the coordinator's URL, sign= function(request) -> headers,
--   report=, env=, on_progress=}
-- @param name of the publisher
-- @param artifact {path=, size=, sha256=}
-- @return url, or nil, message, code
function M.publish(ctx, name, artifact)
  local publisher, message, code = script.find("publish", name)
  if not publisher then return nil, message, code end
  local url
  url, message, code = publisher.publish(ctx, artifact)
  if type(url) ~= "string" then
    return nil, ("publish with %s: %s"):format(name, message or "it named no URL"), code or "script"
  end
  local proven
  proven, message, code = M.prove(url, artifact, ctx.on_progress)
  if not proven then return nil, message, code end
  return url
end

return M
