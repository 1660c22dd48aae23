-- A keyfile's JSON, its strings left where they are: in locked memory, as slices of it.
local canonical = require "bittern.canonical"

local M = {}

-- Longer than every address and key in hexadecimal digits that a keyfile shows.
local PUBLIC_MAX <const> = 160

local function placed(secret, value)
  if value == canonical.null then return nil end
  if type(value) == "string" then
    local from, to = value:match("^(%d+):(%d+)$")
    return secret:slice(math.tointeger(tonumber(from)), math.tointeger(tonumber(to)))
  end
  if type(value) ~= "table" then return value end
  local copy = {}
  for key, member in pairs(value) do copy[key] = placed(secret, member) end
  return copy
end

--- The value of a JSON text: numbers and booleans as they are, null as nil, and strings as slices
-- of the secret, escapes not resolved.
-- @param secret of core.keybox
-- @return value, or nil, message, "key"
function M.read(secret)
  local value, message = canonical.decode(secret:masked())
  if value ~= nil then return placed(secret, value) end
  return nil, "is not proper JSON in line " .. (message:match("^%d+") or "1"), "key"
end

--- Whether a value of M.read is a string.
function M.is_text(value)
  return type(value) == "userdata"
end

--- The text of a value that is no secret.
-- @return string (numbers too), or nil when it is no text or too long for an address
function M.public(value)
  if type(value) == "number" then return tostring(value) end
  if not M.is_text(value) or #value > PUBLIC_MAX then return nil end
  local plain <close> = value:unescape()
  return plain and plain:text()
end

return M
