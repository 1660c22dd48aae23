-- What the process that holds the hotkey signs, against the same rule in Lua.
local wire = require "fuzz.wire"

local PATTERN <const> = "^BT%-AUTH%-V1\n%u+\n/[!-~]*\n[!-~]*\n%d+\n(%x+)$"

local function is_request(bytes)
  local hash = bytes:match(PATTERN)
  return hash ~= nil and #hash == 64 and not hash:find("%u")
end

return function(bytes)
  local signed = wire.request(bytes)
  assert(signed == is_request(bytes), "the slow check does not agree")
  return signed and "read" or "refused"
end
