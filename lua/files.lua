-- The files of a folder.
local lfs = require "lfs"

local M = {}

--- Every file below a folder; hidden ones and links are left out.
-- @param folder path
-- @param list array to add to, or nil
-- @return array of paths, sorted
function M.below(folder, list)
  list = list or {}
  for name in lfs.dir(folder) do
    local path = folder .. "/" .. name
    local mode = name:sub(1, 1) ~= "." and lfs.symlinkattributes(path, "mode")
    if mode == "directory" then M.below(path, list) end
    if mode == "file" then list[#list + 1] = path end
  end
  table.sort(list)
  return list
end

return M
