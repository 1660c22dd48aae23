-- Signed requests, both sides: the headers a hotkey sends, and their judgement (contract.md 2).
local sha256 = require "core.sha256"
local sr25519 = require "core.sr25519"

local canonical = require "bittern.canonical"
local check = require "bittern.check"
local hex = require "bittern.hex"

local M = {}

--- SHA-256 of no body.
M.EMPTY = sha256.hex("")

--- Seconds that the clocks of a hotkey and of a coordinator may differ.
M.WINDOW = 300

-- Line breaks would let one field pass for two.
local function is_line(text)
  return type(text) == "string" and not text:find("[%c ]")
end

local message_options = {
  method = { type = "string" }, path = { type = "string" },
  query = { type = "string", optional = true, default = "" },
  timestamp = { type = "integer" }, body_sha256 = { type = "string" },
}

local function message(o)
  return table.concat({
    "BT-AUTH-V1", o.method:upper(), o.path, o.query, ("%d"):format(o.timestamp), o.body_sha256,
  }, "\n")
end

-- What is wrong with a request line, or nil.
local function problem(o)
  if not o.method:find("^%a+$") then return "the method must be a word" end
  if not is_line(o.path) or o.path:find("^[^/]") or o.path == "" or o.path:find("[?#]") then
    return "the path must begin with / and be without query, blanks and control characters"
  end
  if not is_line(o.query) or o.query:find("^%?") or o.query:find("#", 1, true) then
    return "the query must be without ?, #, blanks and control characters"
  end
  if o.timestamp < 0 then return "the timestamp must not be negative" end
  return nil
end

--- Whether a request can be signed at all.
-- @param options {method=, path=, query="", timestamp=}
-- @return true, or nil, message, "usage"
function M.check(options)
  local wrong = problem(options)
  if wrong then return nil, wrong, "usage" end
  return true
end

--- The text that is signed.
-- @param options {method=, path= without the prefix of the base URL, query="" as it goes on the
--   wire, timestamp= integer seconds, body_sha256= hex}
-- @return text
function M.message(options)
  local o = check.options(options, message_options, "auth.message")
  local wrong = problem(o)
  if wrong then error("auth.message: " .. wrong, 2) end
  return message(o)
end

local header_options = {
  method = { type = "string" }, path = { type = "string" },
  query = { type = "string", optional = true, default = "" },
  body = { type = "any", optional = true }, body_sha256 = { type = "string", optional = true },
  content_type = { type = "string", optional = true, default = "application/json" },
  now = { type = "number" },
}

--- Headers of one attempt of a signed request; sign again for the next.
-- @param key a key of core.sr25519
-- @param options {method=, path=, query="", now= seconds, body= the very bytes that are sent
--   (canonical JSON, or a file's with body_sha256 in its place), content_type="application/json"}
-- @return array of "Name: value", or nil, message, code
-- @usage examples/sign.lua
function M.headers(key, options)
  local o = check.options(options, header_options, "auth.headers")
  o.timestamp = math.tointeger(o.now // 1)
  local has_body = o.body ~= nil or o.body_sha256 ~= nil
  o.body_sha256 = o.body_sha256 or sha256.hex(o.body or "")
  local wrong = problem(o)
  if wrong then error("auth.headers: " .. wrong, 2) end
  local signature, why, code = key:sign(message(o))
  if not signature then return nil, why, code end
  local headers = {
    "X-Hotkey: " .. key:address(), ("X-Timestamp: %d"):format(o.timestamp),
    "X-Signature: " .. hex.encode(signature),
  }
  if has_body then headers[4] = "Content-Type: " .. o.content_type end
  return headers
end

-- The hash a coordinator computes: of the canonical form of what it parsed, so that white space
-- and key order on the wire do not count; of the bytes themselves where the body is a file.
local function body_hash(o)
  if o.body_sha256 then return o.body_sha256 end
  if o.raw or o.body == nil or o.body == "" then return sha256.hex(o.body or "") end
  local value, why, code = canonical.decode(o.body)
  if value == nil then return nil, "body: " .. why, code end
  return sha256.hex(assert(canonical.encode(value)))
end

-- The three headers, parsed: public key, signature bytes, timestamp.
local function parse(headers)
  local hotkey, timestamp = headers["x-hotkey"], headers["x-timestamp"]
  local signature = headers["x-signature"]
  if not (hotkey and timestamp and signature) then
    return nil, "missing auth headers", "unauthorized"
  end
  local public, why = sr25519.public(hotkey)
  if not public then return nil, "X-Hotkey: " .. why, "unauthorized" end
  local seconds = timestamp:find("^%d+$") and math.tointeger(tonumber(timestamp))
  if not seconds then return nil, "X-Timestamp: not whole seconds", "unauthorized" end
  if #signature ~= 128 or signature:find("%X") then
    return nil, "X-Signature: not 128 hexadecimal digits", "unauthorized"
  end
  local bytes = hex.decode(signature)
  return { public = public, signature = bytes, timestamp = seconds, hotkey = hotkey }
end

local verify_options = {
  method = { type = "string" }, path = { type = "string" },
  query = { type = "string", optional = true, default = "" },
  headers = { type = "table" }, body = { type = "any", optional = true },
  body_sha256 = { type = "string", optional = true }, raw = { type = "boolean", optional = true },
  now = { type = "number" }, window = { type = "number", optional = true, default = M.WINDOW },
}

--- Judges a signed request, as a coordinator does.
-- @param options {method=, path=, query="" raw, headers={lower-case name = value}, body= bytes or
--   nil, raw= the body is not JSON, body_sha256= of a body that lies elsewhere, now= seconds,
--   window=300 seconds that clocks may differ}
-- @return the hotkey's address, or nil, message, "unauthorized" ("invalid_json" for a bad body)
function M.verify(options)
  local o = check.options(options, verify_options, "auth.verify")
  local given, why, code = parse(o.headers)
  if not given then return nil, why, code end
  local apart = math.abs(o.now - given.timestamp)
  if apart > o.window then
    return nil, ("the timestamp is %.0f s away from this clock"):format(apart), "unauthorized"
  end
  o.timestamp, o.body_sha256, why, code = given.timestamp, body_hash(o)
  if not o.body_sha256 then return nil, why, code end
  local wrong = problem(o)
  if wrong then return nil, wrong, "unauthorized" end
  if not sr25519.verify(given.public, message(o), given.signature) then
    return nil, "the signature does not match the request", "unauthorized"
  end
  return given.hotkey
end

return M
