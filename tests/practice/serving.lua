-- `bittern practice serve` as a child, for specs that need real HTTP.
local fs = require "core.fs"
local process = require "core.process"
local sys = require "core.sys"

local json = require "bittern.json"

local support = require "tests.support"

local M = {}

--- Starts a coordinator.
-- @param dir its folder
-- @param options array of more arguments, such as "--fault", "slow:1"
-- @return child, url, what it printed when ready
function M.start(dir, options)
  local argv = { support.bin, "practice", "serve", "--state", dir }
  table.move(options or {}, 1, #(options or {}), #argv + 1, argv)
  local child = assert(process.spawn {
    argv = argv, env = support.environment(dir), stdout = "pipe", stderr = dir .. "/stderr",
  })
  local ready = assert(json.decode(assert(child:read_line(20))))
  return child, ready.url, ready
end

--- The process id of a coordinator's validator, which has its URL among its arguments.
-- @return string, or nil when none shows within 5 s
function M.validator(url)
  for _ = 1, 100 do
    local found = support.run { "/bin/sh", "-c",
      'grep -l -- "$1" /proc/[0-9]*/cmdline 2>/dev/null || true', "sh", url }
    for pid in found.stdout:gmatch("/proc/(%d+)/") do
      local line = fs.read("/proc/" .. pid .. "/cmdline") or ""
      if line:find("\0validate\0", 1, true) then return pid end
    end
    sys.sleep(0.05)
  end
  return nil
end

--- Ends a coordinator.
-- @param number signal, SIGTERM unless given
-- @return {status or signal}
function M.stop(child, number)
  child:kill(number)
  return assert(child:wait(20))
end

return M
