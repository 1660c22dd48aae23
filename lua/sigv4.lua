-- AWS Signature Version 4, as every S3-compatible store checks it.
--
-- Source: "Signature Calculations for the Authorization Header", Amazon S3 API Reference. A request
-- is reduced to a canonical text, its SHA-256 is put in a second text, and that is signed with a
-- key derived from the secret, the day, the region and the service.
local sha256 = require "core.sha256"

local check = require "bittern.check"
local hex = require "bittern.hex"

local M = {}

local BLOCK <const> = 64 -- bytes of a block of SHA-256

local function digest(bytes)
  return hex.decode(sha256.hex(bytes))
end

-- Each byte of the key, padded with zeros to a block, combined with `mask`.
local function pad(key, mask)
  if #key > BLOCK then key = digest(key) end
  key = key .. ("\0"):rep(BLOCK - #key)
  return (key:gsub(".", function(c) return string.char(c:byte() ~ mask) end))
end

--- HMAC-SHA-256 (RFC 2104).
-- @return 32 bytes
function M.hmac(key, message)
  return digest(pad(key, 0x5C) .. digest(pad(key, 0x36) .. message))
end

--- Percent-encodes as S3 wants it: everything but letters, digits and -._~.
-- @param keep further characters that stay, such as "/"
function M.escape(text, keep)
  return (text:gsub("[^%w%-._~" .. (keep or "") .. "]", function(c)
    return ("%%%02X"):format(c:byte())
  end))
end

--- A query in canonical order, escaped: what is signed and what is sent.
-- @param query {name = value}
function M.query(query)
  local parts = {}
  for _, name in ipairs(check.sorted_keys(query)) do
    parts[#parts + 1] = M.escape(name) .. "=" .. M.escape(query[name])
  end
  return table.concat(parts, "&")
end

-- Names in lower case, sorted, with their values; and the list of names.
local function canonical_headers(headers)
  local lines, names = {}, check.sorted_keys(headers)
  for i, name in ipairs(names) do
    lines[i] = name .. ":" .. headers[name]:gsub("^%s+", ""):gsub("%s+$", "") .. "\n"
  end
  return table.concat(lines), table.concat(names, ";")
end

--- Signs a request.
-- @param request {method, host, path = escaped, query = {name = value}, headers = {lower-case name
--   = value} to be signed besides host and date, payload_sha256 = 64 digits}
-- @param keys {id, secret, token = of a session or nil}
-- @param scope {region, service = "s3", now = seconds since 1970}
-- @return array of header lines
function M.sign(request, keys, scope)
  local service = scope.service or "s3"
  local time = os.date("!%Y%m%dT%H%M%SZ", scope.now)
  local day = time:sub(1, 8)
  local headers = { host = request.host, ["x-amz-date"] = time,
    ["x-amz-content-sha256"] = request.payload_sha256, ["x-amz-security-token"] = keys.token }
  for name, value in pairs(request.headers or {}) do headers[name] = value end
  local lines, names = canonical_headers(headers)
  local canonical = table.concat({ request.method, request.path, M.query(request.query or {}),
    lines, names, request.payload_sha256 }, "\n")
  local place = table.concat({ day, scope.region, service, "aws4_request" }, "/")
  local text = table.concat({ "AWS4-HMAC-SHA256", time, place, sha256.hex(canonical) }, "\n")
  local key = "AWS4" .. keys.secret
  for part in place:gmatch("[^/]+") do key = M.hmac(key, part) end
  local out = { ("Authorization: AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s")
    :format(keys.id, place, names, hex.encode(M.hmac(key, text))) }
  for _, name in ipairs(check.sorted_keys(headers)) do
    if name ~= "host" then out[#out + 1] = name .. ": " .. headers[name] end
  end
  return out
end

return M
