-- Addresses: every key has one, and each is written in one way only.
local sr25519 = require "core.sr25519"

local outcome = require "tests.fuzz.outcome"

return function(bytes)
  local key = (bytes .. ("\0"):rep(32)):sub(1, 32)
  local address = sr25519.address(key)
  assert(sr25519.public(address) == key, "an address of another key")
  assert(not sr25519.public(address:sub(2)) and not sr25519.public("1" .. address))
  local public, message, code = sr25519.public(bytes)
  if not public then return outcome.refused(message, code) end
  assert(sr25519.address(public) == bytes, "two addresses of one key")
  return "read"
end
