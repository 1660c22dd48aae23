-- Header lines that carry a secret: from a file that only its owner may read, never from argv.
local fs = require "core.fs"

local M = {}

local MOST <const> = 16384

--- Reads them.
-- @param path of the file; "" for none
-- @return array of lines, or nil, message, code; "denied" where others may read the file
function M.read(path)
  if path == "" then return {} end
  local info, message, code = fs.stat(path)
  if not info then return nil, message, code end
  if info.mode & 63 ~= 0 then
    return nil, path .. ": others may read it; chmod 600 it", "denied"
  end
  local text
  text, message, code = fs.read(path, MOST)
  if not text then return nil, message, code end
  local lines = {}
  for line in text:gmatch("[^\r\n]+") do lines[#lines + 1] = line end
  return lines
end

return M
