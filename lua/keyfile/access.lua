-- Who but its owner may use a file that holds a secret.
local sys = require "core.sys"

local M = {}

local OTHERS <const> = 0x3F -- 0077

--- Warnings about a file.
-- @param path for people
-- @param info {mode=, uid=}
-- @return array of text
function M.warnings(path, info)
  local list = {}
  if info.mode & OTHERS ~= 0 then
    list[1] = ("%s: others may read or change it (mode %04o); run chmod 600 on it")
      :format(path, info.mode)
  end
  if info.uid ~= sys.uid() then
    list[#list + 1] = ("%s: belongs to user %d, not to you"):format(path, info.uid)
  end
  return list
end

return M
