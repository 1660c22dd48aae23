-- How much memory there is for us.
local fs = require "core.fs"

local M = {}

--- Memory that can be had, in bytes: what a container may use is less than what the machine has.
function M.available()
  local text = fs.read("/proc/meminfo", 1 << 16) or ""
  local bytes = (math.tointeger(text:match("MemAvailable:%s*(%d+) kB")) or 0) * 1024
  local most = fs.read("/sys/fs/cgroup/memory.max", 64)
  most = most and math.tointeger(most:match("^%d+"))
  return most and math.min(bytes, most) or bytes
end

return M
