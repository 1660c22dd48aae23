-- A practice coordinator whose base URL names its fault: `run faulty_server.lua DIR`,
-- then URL/slow:0.1/api/v1/tasks. One process for every fault.
local httpd = require "core.httpd"
local sys = require "core.sys"

local database = require "bittern.practice.database"
local faults = require "bittern.practice.faults"
local report = require "bittern.report"
local routes = require "bittern.practice.routes"
local task_store = require "bittern.practice.task_store"

local dir = ...
local db = assert(database.open(dir))
assert(task_store.add_shipped(db, sys.time()))
local handler = routes.new { db = db, dir = dir, now = sys.time }

local wrapped, last = {}, nil

-- A redirect leads back without the prefix: the same fault goes on.
local function handle(request)
  local fault, path = request.path:match("^/([^/]*)(/.*)$")
  if fault ~= "api" and fault ~= "files" then request.path, last = path, fault end
  if not wrapped[last] then
    wrapped[last] = assert(faults.wrap(handler, last ~= "none" and { last } or {}))
  end
  return wrapped[last](request)
end

local server <close> = assert(httpd.listen {})
report.data { url = "http://127.0.0.1:" .. server:port() }
repeat until not server:step(handle, 0.5)
