-- The practice coordinator as a process: HTTP around the routes, its validator as a child.
local fs = require "core.fs"
local httpd = require "core.httpd"
local lfs = require "lfs"
local process = require "core.process"
local sys = require "core.sys"

local hex = require "bittern.hex"

local database = require "bittern.practice.database"
local faults = require "bittern.practice.faults"
local repositories = require "bittern.practice.repositories"
local routes = require "bittern.practice.routes"
local task_store = require "bittern.practice.task_store"
local validator_key = require "bittern.practice.validator_key"

local M = {}

-- What a killed server left of requests it was receiving.
local function empty(folder)
  for name in lfs.dir(folder) do
    if name ~= "." and name ~= ".." then fs.remove(folder .. "/" .. name) end
  end
end

local function prepare(dir)
  for _, folder in ipairs { dir, dir .. "/files", dir .. "/spool" } do
    local made, message, code = fs.mkdir(folder, 0x1C0)
    if not made then return nil, message, code end
  end
  local lock, message, code = fs.lock(dir .. "/lock")
  if not lock then return nil, message, code end
  empty(dir .. "/spool")
  return lock
end

-- Without git the tasks that ship have no repositories, and all else goes on.
local function make_repositories(options)
  local made, message, code = repositories.make(options.dir)
  if made or code == "interrupted" then return made, message, code end
  options.warn("the tasks that ship have no repositories: " .. message)
  return {}
end

local function fill(db, options)
  local key, message, code = validator_key.load(options.dir)
  if not key then return nil, message, code end
  local made
  made, message, code = make_repositories(options)
  if not made then return nil, message, code end
  local done
  done, message, code = database.allow_validator(db, key:address())
  if done then done, message, code = task_store.add_shipped(db, options.now(), made) end
  for _, path in ipairs(options.tasks or {}) do
    if done then done, message, code = task_store.add_file(db, path, options.now()) end
  end
  return done, message, code
end

local function open_database(options)
  local db, message, code = database.open(options.dir)
  if not db then return nil, message, code end
  local done, why, id = fill(db, options)
  if done then return db end
  db:close()
  return nil, why, id
end

-- The word that admin routes want, made at the first use; its file is for its owner only.
local function admin_token(dir)
  local path = dir .. "/admin-token"
  local text, message, code = fs.read(path, 1 << 10)
  if text then return text:match("%S+") end
  if code ~= "not_found" then return nil, message, code end
  local token = hex.encode(sys.random(16))
  local made, why, id = fs.write(path, token .. "\n", { mode = 0x180 })
  if not made then return nil, why, id end
  return token
end

local function spawn_validator(url, options)
  local argv = { sys.exe(), "--coordinator", url, "practice", "validate", "--state", options.dir }
  if options.sandbox then table.move({ "--sandbox", options.sandbox }, 1, 2, #argv + 1, argv) end
  return process.spawn { argv = argv, stdout = "null", stderr = "inherit" }
end

-- The validator ends with us, through its __gc, and through the kernel when we are killed; when it
-- ends alone, it is started again.
local function watch(child, options, url)
  if not child then return nil end
  local ended = child:wait(0)
  if not ended then return child end
  options.warn(("the validator ended (%s); starting it again"):format(
    ended.signal and "signal " .. ended.signal or "exit " .. ended.status))
  sys.sleep(1)
  local started, message = spawn_validator(url, options)
  if not started then options.warn("the validator does not start: " .. message) end
  return started
end

local function serve(server, handler, options)
  local url = "http://127.0.0.1:" .. server:port()
  local validator, message, code
  if options.validator then
    validator, message, code = spawn_validator(url, options)
    if not validator then return nil, message, code end
  end
  options.ready { url = url, port = server:port(), dir = options.dir }
  while true do
    local done, why, id = server:step(handler, 0.5)
    if not done then return nil, why, id end
    validator = watch(validator, options, url)
  end
end

local function listen(handler, options)
  local server <close>, message, code = httpd.listen {
    port = options.port, spool = options.dir .. "/spool", max_body = 4 << 20,
    on_error = function(text) options.warn("request failed: " .. text) end,
  }
  if not server then return nil, message, code end
  local done, why, id = serve(server, handler, options)
  return done, why, id
end

--- Serves until it is interrupted.
-- @param options {dir= absolute, port=0 for a free one, validator=boolean, stake_gate=boolean,
--   sandbox="bwrap" or nil, tasks=array of paths, faults=array of texts, now=function() -> seconds,
--   ready=function({url, port, dir}), warn=function(text)}
-- @return nil, message, code ("interrupted" in the end)
function M.run(options)
  local lock <close>, message, code = prepare(options.dir)
  if not lock then return nil, message, code end
  local db <close>, why, id = open_database(options)
  if not db then return nil, why, id end
  local token, problem, name = admin_token(options.dir)
  if not token then return nil, problem, name end
  local handler, wrong, kind = faults.wrap(routes.new {
    db = db, dir = options.dir, now = options.now, stake_gate = options.stake_gate,
    admin_token = token,
  }, options.faults)
  if not handler then return nil, wrong, kind end
  return listen(handler, options)
end

return M
