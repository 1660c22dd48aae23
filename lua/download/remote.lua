-- What lies at a URL: where it really is, how large, which version.
--
-- A hub answers with the file's SHA-256 and sends on to a URL that expires. Each hop is asked by
-- itself, so that those words are heard and no token goes to another host.
local http = require "bittern.http"

local M = {}

local MOST_HOPS <const> = 5
local redirecting <const> = { [301] = true, [302] = true, [303] = true, [307] = true, [308] = true }
-- Answers of servers that do not take HEAD; signed URLs are often good for GET alone.
local no_head <const> = { [400] = true, [403] = true, [405] = true, [501] = true }

local function strong(etag)
  return etag and etag:find('^"') and etag or nil
end

local function as_size(text)
  return text and text:find("^%d+$") and math.tointeger(tonumber(text)) or nil
end

local function origin(url)
  local parts = http.split(url)
  return parts and ("%s://%s:%d"):format(parts.scheme, parts.host, parts.port)
end

-- An absolute URL for a Location header.
local function resolve(url, location)
  if location:find("^%a[%w+.-]*:") then return location end
  local parts = http.split(url)
  local base = ("%s://%s:%d"):format(parts.scheme, parts.host, parts.port)
  if location:find("^//") then return parts.scheme .. ":" .. location end
  if location:find("^/") then return base .. location end
  return base .. parts.path:gsub("[^/]*$", "") .. location
end

-- The next URL; https is not left.
local function follow(url, location)
  local next_url = resolve(url, location or "")
  local parts = http.split(next_url)
  if not parts then
    return nil, url:match("^[^?#]*") .. " sends on to what is no http(s) URL", "redirect"
  end
  if url:find("^https:") and parts.scheme ~= "https" then
    return nil, url:match("^[^?#]*") .. ": a redirect away from https", "insecure"
  end
  return next_url
end

-- Headers of the caller are for the host they were meant for.
local function headers_for(options, url)
  local list = { "Accept-Encoding: identity" }
  if origin(url) == origin(options.url) then
    table.move(options.headers or {}, 1, #(options.headers or {}), 2, list)
  end
  return list
end

local function request(options, url, method, more)
  local all = { method = method, url = url, headers = headers_for(options, url),
    retry = { base = options.pause, say = options.say }, stall_timeout = options.stall }
  for key, value in pairs(more or {}) do all[key] = value end
  return http.request(all)
end

-- A GET of one byte says what a HEAD would.
local function ask_by_get(options, url)
  local headers = headers_for(options, url)
  headers[#headers + 1] = "Range: bytes=0-0"
  local size
  local response, message, code = http.request {
    url = url, headers = headers, retry = { base = options.pause, say = options.say },
    stall_timeout = options.stall,
    sink = function(piece)
      size = (size or 0) + #piece
      if size > 1 then return nil, "more than was asked for", "not_partial" end
      return true
    end,
  }
  return response, message, code
end

--- Whether a status sends on to another URL.
function M.is_redirect(status)
  return redirecting[status] or false
end

-- HEAD, or what stands for it; the answer's `total` is the size of the file where it is known.
local function ask(options, url)
  local response, message, code = request(options, url, "HEAD")
  if not response then return nil, message, code end
  if not no_head[response.status] then
    response.total = as_size(response.headers["content-length"])
    response.ranges = response.headers["accept-ranges"] ~= "none"
    return response
  end
  local got = ask_by_get(options, url)
  if got and M.is_redirect(got.status) then return got end
  if not got or got.status ~= 206 then return response end
  got.status, got.ranges = 200, true
  got.total = as_size((got.headers["content-range"] or ""):match("/(%d+)$"))
  return got
end

local function refused(url, response)
  local name = url:match("^[^?#]*")
  local codes = { [401] = "access", [403] = "access", [404] = "not_found", [410] = "not_found" }
  return nil, ("%s answers %d"):format(name, response.status),
    codes[response.status] or "http_status"
end

-- A hub's word for the file behind its redirect.
local function note_linked(found, headers)
  found.sha256 = found.sha256 or (headers["x-linked-etag"] or ""):match('^"?(%x+)"?$')
  if found.sha256 and #found.sha256 ~= 64 then found.sha256 = nil end
  found.linked_size = found.linked_size or as_size(headers["x-linked-size"])
  found.etag = found.etag or strong(headers["x-linked-etag"])
end

local function conclude(found, url, response)
  if response.status ~= 200 then return refused(url, response) end
  local encoding = response.headers["content-encoding"]
  if encoding and encoding:lower() ~= "identity" then
    return nil, ("%s sends the file encoded (%s)"):format(url:match("^[^?#]*"), encoding), "encoded"
  end
  found.url, found.size, found.ranges = url, response.total, response.ranges
  found.range_etag = response.headers.etag
  found.etag = found.etag or strong(response.headers.etag)
  if found.linked_size and found.size and found.size ~= found.linked_size then
    return nil, ("%s has %d bytes, but %d were announced"):format(url:match("^[^?#]*"), found.size,
      found.linked_size), "integrity"
  end
  found.size = found.size or found.linked_size
  return found
end

--- Finds out what lies at a URL.
-- @param options {url, headers = lines for its own host, and of download.run: pause, stall,
--   say}
-- @return {url = where the bytes are, size = bytes or nil, ranges = whether parts may be asked for,
--   etag = strong one of the file or nil, range_etag = ETag at `url` or nil,
--   sha256 = what a hub says, or nil,
--   headers = lines that may be sent there}, or nil, message, code
function M.find(options)
  local found, url = {}, options.url
  for _ = 0, MOST_HOPS do
    local response, message, code = ask(options, url)
    if not response then return nil, message, code end
    note_linked(found, response.headers)
    if not M.is_redirect(response.status) then
      found.headers = headers_for(options, url)
      table.remove(found.headers, 1)
      return conclude(found, url, response)
    end
    url, message, code = follow(url, response.headers.location)
    if not url then return nil, message, code end
  end
  return nil, ("%s: more than %d redirects"):format(options.url:match("^[^?#]*"), MOST_HOPS),
    "redirect"
end

--- Where the bytes are when a GET was sent on.
-- @param found as M.find gives it
-- @param location the answer's header
-- @return the same with another URL, and no headers where it is another host; or nil, message, code
function M.moved(found, location)
  local url, message, code = follow(found.url, location)
  if not url then return nil, message, code end
  local moved = setmetatable({ url = url }, { __index = found })
  if origin(url) ~= origin(found.url) then moved.headers = {} end
  return moved
end

return M
