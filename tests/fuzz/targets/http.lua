-- What comes over the wire: URLs, header lines, and the answer to a request for a range, which
-- libcurl itself reads. The input: URL, ETag, header line and answer, a zero byte between two.
local wire = require "fuzz.wire"

local answer = require "bittern.http.answer"
local http = require "bittern.http"
local outcome = require "tests.fuzz.outcome"
local remote = require "bittern.download.remote"
local retry = require "bittern.retry"

local LONGEST_WAIT <const> = 60

-- Both ends mean the same host: what is compared as text is where libcurl connects to. It writes
-- numbers of hosts and escapes in one way, which are no origins of ours.
local function check_url(url)
  local origin, parts = wire.url(url), http.split(url)
  if not origin or not parts then return end
  local mine = ("%s://%s:%d"):format(parts.scheme, parts.host, parts.port)
  local is_numeric = parts.host:find("^[%dx.a-f]+$") or parts.host:find("^%[")
  assert(is_numeric or mine == origin:lower(), mine .. " is not " .. origin)
end

local function response_of(head)
  local status = math.tointeger(tonumber(head:match("^HTTP/[%d.]+ (%d%d%d)"))) or 200
  local headers = {}
  for name, value in head:gmatch("\n([%w-]+):[ \t]*([^\r\n]*)") do headers[name:lower()] = value end
  return { status = status, headers = headers, body = head:match("\r?\n\r?\n(.*)$") or "" }
end

-- All requests get the one answer.
local function check_remote(response)
  http.request = function() return response end
  local found, message, code = remote.find { url = "https://host/file", pause = 0 }
  if not found then return outcome.refused(message, code) end
  assert(not found.size or found.size >= 0)
  local moved, why, id = remote.moved(found, response.headers.location or "")
  if not moved then return outcome.refused(why, id) end
  assert(moved.url:find("^https://"), "away from https")
  return "read"
end

return function(bytes)
  local url, etag, line, head = outcome.parts(bytes, 4)
  check_url(url)
  if wire.header(line) then assert(line:find("^[^%s:]+:") and not line:find("[\r\n]")) end
  local verdict = wire.range(head, etag)
  local response = response_of(head)
  local seconds = retry.delay(1, response)
  assert(seconds >= 0 and seconds <= LONGEST_WAIT, "another wait")
  local _, value = answer.words(response)
  assert(type(answer.code(response, value)) == "string")
  check_remote(response)
  return verdict == 1 and "read" or "verdict " .. verdict
end
