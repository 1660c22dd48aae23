-- Bytes as hexadecimal digits, and back.
local M = {}

--- Two lower-case digits for each byte.
function M.encode(bytes)
  return (bytes:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

--- The bytes of an even number of digits.
-- @param digits string
function M.decode(digits)
  return (digits:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))
end

return M
