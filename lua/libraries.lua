-- What this program is built on, for `bittern version --json`, doctor and the bill of materials.
local M = {}

--- Versions of Lua and of every library, as each tells it. Loads them all.
-- @return table name -> version, a string
function M.versions()
  local list = require "core.versions".libraries()
  list.cjson = require "cjson"._VERSION
  list.lfs = require "lfs"._VERSION:match "[%d.]+"
  list.argparse = require "argparse".version
  return list
end

return M
