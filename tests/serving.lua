-- A program that runs while this process answers its requests, by turns.
local fs = require "core.fs"
local httpd = require "core.httpd"
local process = require "core.process"
local sys = require "core.sys"
local support = require "tests.support"

local M = {}

--- A server on loopback.
-- @param handler function(request) -> response
-- @param options of httpd.listen
-- @return {url, handler, server}
function M.listen(handler, options)
  local server = assert(httpd.listen(options or {}))
  return { server = server, handler = handler, url = "http://127.0.0.1:" .. server:port() }
end

--- Runs a program to its end.
-- @param argv array
-- @param servers array of what M.listen gave
-- @param options {home = folder, env = {name = value}, kill_when = function() -> whether it is to
--   be killed by now}
-- @return {status or signal, stdout, stderr, home}
function M.run(argv, servers, options)
  options = options or {}
  local home = options.home or support.folder()
  local env = { HOME = home, PATH = os.getenv("PATH") }
  for key, value in pairs(options.env or {}) do env[key] = value end
  local child <close> = assert(process.spawn { argv = argv, cwd = home, env = env,
    stdout = home .. "/.out", stderr = home .. "/.err" })
  local done
  local deadline = sys.clock() + 60
  local pause = servers[1] and 0 or options.kill_when and 0.002 or 0.1
  while not done and sys.clock() < deadline do
    for _, one in ipairs(servers) do assert(one.server:step(one.handler, 0.003)) end
    if options.kill_when and options.kill_when() then child:kill(9) end
    done = child:wait(pause)
  end
  assert(done, "the program does not end")
  return { status = done.status, signal = done.signal, home = home,
    stdout = fs.read(home .. "/.out"), stderr = fs.read(home .. "/.err") }
end

--- Runs bittern.
function M.bittern(argv, servers, options)
  return M.run({ support.bin, table.unpack(argv) }, servers, options)
end

return M
