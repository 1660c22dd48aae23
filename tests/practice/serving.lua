-- `bittern practice serve` as a child, for specs that need real HTTP.
local process = require "core.process"

local json = require "bittern.json"

local support = require "tests.support"

local M = {}

--- Starts a coordinator.
-- @param dir its folder
-- @param options array of more arguments, such as "--fault", "slow:1"
-- @return child, url, what it printed when ready
function M.start(dir, options)
  local argv = { support.bin, "practice", "serve", "--dir", dir }
  table.move(options or {}, 1, #(options or {}), #argv + 1, argv)
  local child = assert(process.spawn {
    argv = argv, env = support.environment(dir), stdout = "pipe", stderr = dir .. "/stderr",
  })
  local ready = assert(json.decode(assert(child:read_line(20))))
  return child, ready.url, ready
end

--- Ends a coordinator.
-- @param number signal, SIGTERM unless given
-- @return {status or signal}
function M.stop(child, number)
  child:kill(number)
  return assert(child:wait(20))
end

return M
