-- Bytes as base64 (RFC 4648, section 4).
local M = {}

local ALPHABET <const> = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

--- Four characters for every three bytes, the last ones filled up with `=`.
function M.encode(bytes)
  local out = {}
  for i = 1, #bytes, 3 do
    local a, b, c = bytes:byte(i, i + 2)
    local bits = a << 16 | (b or 0) << 8 | (c or 0)
    local text = ""
    for shift = 18, 0, -6 do
      local at = (bits >> shift & 63) + 1
      text = text .. ALPHABET:sub(at, at)
    end
    local have = b and (c and 4 or 3) or 2
    out[#out + 1] = text:sub(1, have) .. ("="):rep(4 - have)
  end
  return table.concat(out)
end

return M
