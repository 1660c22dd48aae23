-- What the specs of publishers share.
local fs = require "core.fs"
local sha256 = require "core.sha256"
local sys = require "core.sys"
local serving = require "tests.serving"
local support = require "tests.support"

local M = {}

--- A file to publish in a home of its own.
function M.artifact(size)
  local home = support.folder()
  local bytes = sys.random(256):rep(size // 256 + 1):sub(1, size)
  assert(fs.write(home .. "/a.zip", bytes))
  return { home = home, path = home .. "/a.zip", bytes = bytes, sha256 = sha256.hex(bytes) }
end

--- Publishes it by the command.
-- @param options {set = array, env, kill_when, measured = whether its peak of memory is wanted}
function M.publish(file, to, servers, options)
  local argv = { "publish", file.path, "--to", to }
  if options.measured then -- its peak of memory is the last word of stdout then
    argv = { "run", support.root .. "/tests/fixtures/peak.lua", support.bin, table.unpack(argv) }
  end
  for _, set in ipairs(options.set or {}) do
    argv[#argv + 1] = "--set"
    argv[#argv + 1] = set
  end
  return serving.bittern(argv, servers, { home = file.home, env = options.env,
    kill_when = options.kill_when })
end

return M
