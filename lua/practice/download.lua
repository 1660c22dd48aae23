-- How a validator fetches an artifact: one GET, no redirects, size and hash or nothing
-- (contract.md 4.4); plain http on this machine, since this is a rehearsal.
local fs = require "core.fs"
local sha256 = require "core.sha256"

local gzip = require "bittern.practice.gzip"
local http = require "bittern.http"
local json = require "bittern.json"

local M = {}

-- Room for the page of an error, whose status says more than its length.
local PAGE <const> = 1 << 16

local redirects = { [301] = true, [302] = true, [303] = true, [307] = true, [308] = true }

local function is_loopback(host)
  return host == "localhost" or host == "::1" or host == "[::1]"
    or host:find("^127%.%d+%.%d+%.%d+$") ~= nil
end

local function present(value)
  if value == nil or value == json.null or value == "" then return nil end
  return value
end

-- Plain http is for files on this very machine only.
local function check_uri(uri)
  local scheme = (uri:match("^(%a[%w+.-]*):") or "file"):lower()
  if scheme == "file" then return nil, "local submission artifacts are disabled" end
  if scheme == "https" then return true end
  if scheme ~= "http" then return nil, "unsupported artifact_uri scheme: " .. scheme end
  local parts = http.split(uri)
  if parts and is_loopback(parts.host) then return true end
  return nil, "required artifacts must use https"
end

local function mismatch(what, expected, got)
  return nil, ("%s mismatch: expected %s, got %s"):format(what, expected, got)
end

-- The bytes of one answer in a file; the body of an error is no artifact.
local function fetch(uri, size, path)
  local writer <close>, message = fs.create(path, { mode = 0x180 })
  if not writer then return nil, message end
  local response, why, code = http.request {
    method = "GET", url = uri, http2 = false, redirects = 0, timeout = 0, stall_timeout = 60,
    max_bytes = size + PAGE,
    sink = function(chunk) return writer:write(chunk) end,
  }
  if not response and code == "too_large" then
    return mismatch("artifact_size_bytes", size, "more")
  end
  if not response then return nil, "submission artifact download failed: " .. why, code end
  if redirects[response.status] then return nil, "submission artifact redirects are not allowed" end
  if response.status >= 400 then
    return nil, "submission artifact download failed: HTTP " .. response.status
  end
  local done, trouble = writer:commit()
  if not done then return nil, trouble end
  return response
end

-- What was compressed on its way is judged by what it becomes, and only that.
local function decode(response, path)
  local encoding = (response.headers["content-encoding"] or "identity"):lower()
  if encoding == "identity" then
    return response.size, math.tointeger(tonumber(response.headers["content-length"]))
  end
  if encoding ~= "gzip" and encoding ~= "x-gzip" then
    return nil, "submission artifact download failed: Content-Encoding " .. encoding
  end
  return gzip.unpack(path)
end

local function check_size(response, path, size)
  local got, declared = decode(response, path)
  if not got then return nil, declared end
  if declared and declared ~= size then return mismatch("artifact_size_bytes", size, declared) end
  if got ~= size then return mismatch("artifact_size_bytes", size, got) end
  return true
end

--- Fetches the artifact of a submission.
-- @param submission its record
-- @param path where the bytes go
-- @return true, or nil, the validator's words, code
function M.fetch(submission, path)
  local uri = present(submission.artifact_uri)
  if not uri then return nil, "submission artifact is required for this replay" end
  local good, reason = check_uri(uri)
  if not good then return nil, reason end
  local sum, size = present(submission.artifact_sha256), present(submission.artifact_size_bytes)
  if not (sum and size) then
    return nil, "remote submission artifact is missing artifact_sha256 or artifact_size_bytes"
  end
  local response, message, code = fetch(uri, size, path)
  if not response then return nil, message, code end
  good, reason = check_size(response, path, size)
  if not good then return nil, reason end
  local got, why = sha256.file(path)
  if not got then return nil, why end
  if got ~= sum:lower() then return mismatch("artifact_sha256", sum:lower(), got) end
  return true
end

return M
