-- The practice coordinator's state, in SQLite: one folder holds it all and survives kill -9.
local fs = require "core.fs"
local store = require "core.store"
local sys = require "core.sys"

local json = require "bittern.json"
local onboarding = require "bittern.practice.onboarding"

local M = {}

local schema = [[
CREATE TABLE IF NOT EXISTS task (
  position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, slug TEXT NOT NULL UNIQUE,
  record TEXT NOT NULL, onboard_md TEXT NOT NULL, task_state TEXT NOT NULL,
  created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS claim (
  position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
  task_id TEXT NOT NULL REFERENCES task(id), miner_hotkey TEXT NOT NULL, status TEXT NOT NULL,
  claim_description TEXT NOT NULL, base_submission_id TEXT, created_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS submission (
  position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
  task_id TEXT NOT NULL REFERENCES task(id), claim_id TEXT NOT NULL UNIQUE REFERENCES claim(id),
  miner_hotkey TEXT NOT NULL, status TEXT NOT NULL, body TEXT NOT NULL, observed_metrics TEXT,
  created_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS job (
  position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
  submission_id TEXT NOT NULL REFERENCES submission(id), validator_hotkey TEXT NOT NULL,
  status TEXT NOT NULL, observed_metrics TEXT, notes TEXT, replay_log TEXT,
  created_at TEXT NOT NULL, UNIQUE (submission_id, validator_hotkey));
CREATE TABLE IF NOT EXISTS best (
  task_id TEXT PRIMARY KEY REFERENCES task(id),
  submission_id TEXT NOT NULL REFERENCES submission(id), updated_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS validator (hotkey TEXT PRIMARY KEY);
]]

--- A new random UUID, version 4.
function M.uuid()
  local a, b, c, d, e = (">I4I2I2I2I6"):unpack(sys.random(16))
  return ("%08x-%04x-%04x-%04x-%012x"):format(a, b, c & 0x0FFF | 0x4000, d & 0x3FFF | 0x8000, e)
end

--- A time as production writes it: ISO 8601, UTC, without a zone.
function M.stamp(seconds)
  return os.date("!%Y-%m-%dT%H:%M:%S", seconds // 1)
end

-- A task file that names a task anew does not touch one that is there: its id stays.
local function add_task(db, task, now)
  return db:exec([[INSERT OR IGNORE INTO task
    (id, slug, record, onboard_md, task_state, created_at, updated_at)
    VALUES (?1, ?2, ?3, ?4, 'live', ?5, ?5)]],
    M.uuid(), task.record.slug, assert(json.encode(task.record)), onboarding.page(task),
    M.stamp(now))
end

--- Opens the state in a folder, making both when they are not there.
-- @param dir string
-- @param now seconds
-- @return core.store, or nil, message, code
function M.open(dir, now)
  local made, message, code = fs.mkdir(dir, 0x1C0)
  if not made then return nil, message, code end
  local db, why, id = store.open(dir .. "/coordinator.db")
  if not db then return nil, why, id end
  local done, trouble, kind = db:transaction(function()
    local ready, wrong, name = db:exec(schema)
    if not ready then return nil, wrong, name end
    for _, task in ipairs(require "bittern.practice.tasks") do
      ready, wrong, name = add_task(db, task, now)
      if not ready then return nil, wrong, name end
    end
    return true
  end)
  if done then return db end
  db:close()
  return nil, trouble, kind
end

--- Lets a hotkey act as validator.
-- @return true, or nil, message, code
function M.allow_validator(db, hotkey)
  local done, message, code = db:exec("INSERT OR IGNORE INTO validator (hotkey) VALUES (?)", hotkey)
  if not done then return nil, message, code end
  return true
end

--- Pauses, resumes or closes a task.
-- @param state "paused"|"live"|"closed"
-- @return true, or nil, message, code
function M.set_state(db, slug, state, now)
  local sql = "UPDATE task SET task_state = ?, updated_at = ? WHERE slug = ?"
  local changed, message, code = db:exec(sql, state, M.stamp(now), slug)
  if not changed then return nil, message, code end
  if changed == 0 then return nil, "no task '" .. slug .. "'", "not_found" end
  return true
end

--- Rows of a query; the disk failing ends the request with a 500.
function M.rows(db, sql, ...)
  return assert(db:query(sql, ...))
end

--- The first row of a query, or nil.
function M.row(db, sql, ...)
  return M.rows(db, sql, ...)[1]
end

return M
