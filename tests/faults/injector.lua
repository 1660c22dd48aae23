-- Runs this program with one of its calls gone wrong, by the library of inject.c.
local fs = require "core.fs"
local sys = require "core.sys"

local serving = require "tests.serving"
local support = require "tests.support"

local M = {}

-- struct page of inject.c.
local PAGE <const> = "<I8I8z"
local EMPTY <const> = ("\0"):rep(256)

-- The folder of the program that runs this, as make names it.
local build <const> = support.bin:sub(#support.root + 2):match "^(.*)/"

local library

--- The library, built when it is not there.
-- @return its path
function M.library()
  if library then return library end
  local made = support.run({ "make", "-s", "BUILD=" .. build, build .. "/tests/inject.so" },
    { cwd = support.root })
  assert(made.status == 0, made.stderr)
  library = ("%s/%s/tests/inject.so"):format(support.root, build)
  return library
end

-- The environment that makes the library do its work.
local function armed(env, page, fault)
  local all = {
    LD_PRELOAD = M.library(), FAULTS_PAGE = page, FAULTS_WHAT = fault.what,
    FAULTS_AT = ("%d"):format(fault.at), FAULTS_PICK = ("%d"):format(fault.pick or 0),
  }
  for name, value in pairs(env or {}) do all[name] = value end
  return all
end

-- A kill after so many milliseconds has nothing to do with calls.
local function run_for(home, argv, milliseconds, options)
  local due, killed = sys.clock() + milliseconds / 1000, false
  local done = serving.bittern(argv, options.servers or {}, { home = home, env = options.env,
    kill_when = milliseconds > 0 and function()
      killed = killed or sys.clock() >= due
      return killed
    end or nil })
  done.call, done.injected = ("after %d ms"):format(milliseconds), done.signal == 9 and 1 or 0
  return done
end

--- Runs bittern.
-- @param home folder of the user, where it also runs
-- @param argv arguments after `bittern`
-- @param fault {what = "calls", "memory" or "kill", at = number of the call, 0 for none, pick =
--   which of its errors}; {what = "time", at = milliseconds until it is killed, 0 for not}; or nil
-- @param options {servers = array of what serving.listen gave, env = {NAME = value}}
-- @return {status or signal, stdout, stderr, calls = how many it made, injected = how many went
--   wrong, call = the one that did, in words}
function M.run(home, argv, fault, options)
  options = options or {}
  fs.remove(home .. "/.out")
  fs.remove(home .. "/.err")
  if not fault then return run_for(home, argv, 0, options) end
  if fault.what == "time" then return run_for(home, argv, fault.at, options) end
  local page = home .. "/.faults"
  assert(fs.write(page, EMPTY))
  local done = serving.bittern(argv, options.servers or {},
    { home = home, env = armed(options.env, page, fault) })
  done.calls, done.injected, done.call = PAGE:unpack(fs.read(page))
  return done
end

return M
