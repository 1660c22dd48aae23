-- The miner's own durable record: runs and their steps, artifacts, every POST (ledger/posts.lua),
-- compressions (ledger/compressions.lua), scores (ledger/scores.lua), costs of single matrices
-- (ledger/costs.lua), decisions, events.
-- Each write is on disk before it returns: an intent survives what happens to its POST.
local fs = require "core.fs"
local sha256 = require "core.sha256"
local store = require "core.store"
local sys = require "core.sys"

local canonical = require "bittern.canonical"
local compressions = require "bittern.ledger.compressions"
local costs = require "bittern.ledger.costs"
local decisions = require "bittern.ledger.decisions"
local paths = require "bittern.paths"
local posts = require "bittern.ledger.posts"
local schema = require "bittern.ledger.schema"
local scores = require "bittern.ledger.scores"

local M = {}

local Ledger = {}
for _, methods in ipairs { posts, compressions, scores, decisions, costs } do
  for name, method in pairs(methods) do Ledger[name] = method end
end
Ledger.__index = Ledger

--- Opens the ledger, and makes it the first time.
-- @param path of the file; default $XDG_STATE_HOME/bittern/ledger.db
-- @param now function that gives seconds since 1970; default the clock
-- @return ledger, or nil, message, code; example: examples/ledger.lua
function M.open(path, now)
  path = path or paths.state() .. "/ledger.db"
  local made, message, code = fs.mkdir(path:match("^(.*)/[^/]*$") or ".", 448) -- 0700
  if not made then return nil, message, code end
  local db
  db, message, code = store.open(path)
  if not db then return nil, "ledger: " .. message, code end
  local ok
  ok, message, code = schema.prepare(db)
  if not ok then
    db:close()
    return nil, ("ledger %s: %s"):format(path, message), code
  end
  return setmetatable({ db = db, path = path, now = now or sys.time }, Ledger)
end

--- Closes it; using it afterwards is an error.
function Ledger:close()
  self.db:close()
end

Ledger.__close = Ledger.close

--- The first row of a query.
-- @return row, false when there is none, or nil, message, code
function Ledger:first(sql, ...)
  local rows, message, code = self.db:query(sql, ...)
  if not rows then return nil, "ledger: " .. message, code end
  return rows[1] or false
end

--- Runs an INSERT and gives the new row's id.
-- @return integer, or nil, message, code
function Ledger:insert(sql, ...)
  local row, message, code = self:first(sql .. " RETURNING id", ...)
  if not row then return nil, message, code end
  return row.id
end

--- Runs a statement that gives no rows.
-- @return true, or nil, message, code
function Ledger:update(sql, ...)
  local changes, message, code = self.db:exec(sql, ...)
  if not changes then return nil, "ledger: " .. message, code end
  return true
end

--- The newest run of a workflow for a task, with this coordinator and hotkey.
-- @param key {workflow=, slug=, coordinator=, hotkey=}
-- @return run {id=, settings=, state = "open"|"accepted"|"rejected"|"done"|"abandoned"}, false when
--   there is none, or nil, message, code
function Ledger:last_run(key)
  return self:first([[SELECT * FROM runs WHERE coordinator = ? AND slug = ? AND hotkey = ?
    AND workflow = ? ORDER BY id DESC LIMIT 1]],
    key.coordinator, key.slug, key.hotkey, key.workflow)
end

--- The unfinished runs for a task, with this coordinator and hotkey.
-- @param key {slug=, coordinator=, hotkey=}
-- @return array of runs, or nil, message, code
function Ledger:open_runs(key)
  return self:query([[SELECT * FROM runs WHERE coordinator = ? AND slug = ? AND hotkey = ?
    AND state = 'open' ORDER BY id]], key.coordinator, key.slug, key.hotkey)
end

--- Starts a run.
-- @param key as last_run
-- @param settings text that is the same when the same work is asked for
-- @return run, or nil, message, code
function Ledger:start_run(key, settings)
  local id, message, code = self:insert([[INSERT INTO runs
    (workflow, slug, coordinator, hotkey, settings, pid, started, state)
    VALUES (?, ?, ?, ?, ?, ?, ?, 'open')]],
    key.workflow, key.slug, key.coordinator, key.hotkey, settings, sys.pid(), self.now())
  if not id then return nil, message, code end
  return self:first("SELECT * FROM runs WHERE id = ?", id)
end

--- Notes that this process now works on a run.
-- @param settings table that JSON can hold
function Ledger:take_run(id, settings)
  return self:update("UPDATE runs SET pid = ?, settings = ? WHERE id = ?", sys.pid(), settings, id)
end

--- Ends a run.
-- @param id of the run
-- @param state "accepted", "rejected", "done" or "abandoned"
function Ledger:end_run(id, state)
  return self:update("UPDATE runs SET state = ?, ended = ? WHERE id = ?", state, self.now(), id)
end

--- A step as it was recorded.
-- @return {state = "running"|"done"|"failed"|"stale", inputs=, result=, line=}, false when there
--   is none, or nil, message, code
function Ledger:step(run, name)
  local step, message, code =
    self:first("SELECT * FROM steps WHERE run = ? AND name = ?", run, name)
  if not step then return step, message, code end
  if step.result then step.result = canonical.decode(step.result) end
  return step
end

--- Notes that a step begins. What it gave before stays readable, but no longer counts as done.
-- @param inputs text that tells whether a result can be used again
function Ledger:begin_step(run, name, inputs)
  return self:update([[INSERT INTO steps (run, name, state, inputs, started)
    VALUES (?1, ?2, 'running', ?3, ?4) ON CONFLICT (run, name) DO UPDATE
    SET state = 'running', inputs = ?3, started = ?4, ended = NULL]], run, name, inputs, self.now())
end

--- Notes that a step's result no longer holds.
function Ledger:spoil_step(run, name)
  return self:update("UPDATE steps SET state = 'stale' WHERE run = ? AND name = ?", run, name)
end

--- Records a finished step.
-- @param result table that JSON can hold
-- @param line what was printed
function Ledger:end_step(run, name, result, line)
  local text, message, code = canonical.encode(result)
  if not text then return nil, ("step %s: result: %s"):format(name, message), code end
  return self:update([[UPDATE steps SET state = 'done', result = ?, line = ?, ended = ?
    WHERE run = ? AND name = ?]], text, line, self.now(), run, name)
end

--- Records a failed step with its message.
function Ledger:fail_step(run, name, message)
  return self:update([[UPDATE steps SET state = 'failed', line = ?, ended = ?
    WHERE run = ? AND name = ?]], message, self.now(), run, name)
end

--- Records where an artifact was published.
-- @param artifact {run=, path=, size=, sha256=, url=}
function Ledger:add_artifact(artifact)
  return self:insert([[INSERT INTO artifacts (run, path, size, sha256, url, published)
    VALUES (?, ?, ?, ?, ?, ?)]],
    artifact.run, artifact.path, artifact.size, artifact.sha256, artifact.url, self.now())
end

--- Adds a line to the run's history.
-- @param kind word
function Ledger:event(run, kind, text)
  return self:update("INSERT INTO events (run, at, kind, text) VALUES (?, ?, ?, ?)",
    run, self.now(), kind, text)
end

--- Any question, for people's scripts.
-- @return array of rows, or nil, message, code
function Ledger:query(sql, ...)
  return self.db:query(sql, ...)
end

--- Takes the lock of a task's run: one process at a time works on it.
-- @param key {slug=, coordinator=, hotkey=}
-- @return lock (close it, or let the process end), or nil, message, "locked"
function Ledger:lock(key)
  local folder = self.path:match("^(.*)/[^/]*$") or "."
  local name = sha256.hex(table.concat({ key.coordinator, key.slug:lower(), key.hotkey }, "\n"))
  local lock, message, code = fs.lock(("%s/%s.lock"):format(folder, name:sub(1, 16)))
  if lock then return lock end
  if code ~= "locked" then return nil, message, code end
  local holder = self:first([[SELECT pid FROM runs WHERE coordinator = ? AND slug = ? AND hotkey = ?
    ORDER BY id DESC LIMIT 1]], key.coordinator, key.slug, key.hotkey)
  local who = holder and (" (process %d)"):format(holder.pid) or ""
  return nil, ("%s: another bittern%s works on it with this hotkey"):format(key.slug, who), "locked"
end

return M
