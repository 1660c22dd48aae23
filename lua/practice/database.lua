-- The practice coordinator's state, in SQLite: one folder holds it all and survives kill -9.
local fs = require "core.fs"
local store = require "core.store"
local sys = require "core.sys"

local json = require "bittern.json"
local records = require "bittern.practice.records"

local M = {}

-- A folder that another version made is not read.
local VERSION <const> = 3

-- `record` is the row as the API shows it, made when the row changes, so that lists of thousands
-- are no more than joined. `position` is the order in which things came.
local schema = [[
CREATE TABLE task (
  position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, slug TEXT NOT NULL UNIQUE,
  record TEXT NOT NULL, onboard_md TEXT NOT NULL, environment TEXT NOT NULL,
  task_state TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
CREATE TABLE work_item (
  position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
  task_id TEXT NOT NULL REFERENCES task(id), kind TEXT NOT NULL, strategy_key TEXT NOT NULL,
  title TEXT NOT NULL, instructions TEXT NOT NULL, priority INTEGER, status TEXT NOT NULL,
  claim_id TEXT, base_submission_id TEXT, created_at TEXT NOT NULL, record TEXT,
  UNIQUE (task_id, strategy_key));
CREATE INDEX work_item_status ON work_item (status);
CREATE TABLE claim (
  position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
  task_id TEXT NOT NULL REFERENCES task(id), miner_hotkey TEXT NOT NULL, status TEXT NOT NULL,
  claim_description TEXT NOT NULL, base_submission_id TEXT, work_item_id TEXT,
  created_at TEXT NOT NULL, record TEXT);
CREATE INDEX claim_task ON claim (task_id, status);
CREATE INDEX claim_status ON claim (status);
CREATE TABLE submission (
  position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
  task_id TEXT NOT NULL REFERENCES task(id), claim_id TEXT NOT NULL UNIQUE REFERENCES claim(id),
  miner_hotkey TEXT NOT NULL, status TEXT NOT NULL, body TEXT NOT NULL, observed_metrics TEXT,
  created_at TEXT NOT NULL, record TEXT);
CREATE INDEX submission_task ON submission (task_id, status);
CREATE INDEX submission_status ON submission (status);
CREATE TABLE job (
  position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
  submission_id TEXT NOT NULL REFERENCES submission(id), validator_hotkey TEXT NOT NULL,
  status TEXT NOT NULL, observed_metrics TEXT, notes TEXT, replay_log TEXT,
  created_at TEXT NOT NULL, record TEXT, UNIQUE (submission_id, validator_hotkey));
CREATE INDEX job_status ON job (status, validator_hotkey);
CREATE TABLE peer_evaluation (
  position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
  submission_id TEXT NOT NULL REFERENCES submission(id), evaluator_hotkey TEXT NOT NULL,
  status TEXT NOT NULL, observed_metrics TEXT, notes TEXT, created_at TEXT NOT NULL, record TEXT);
CREATE INDEX peer_evaluation_submission ON peer_evaluation (submission_id);
CREATE INDEX peer_evaluation_evaluator ON peer_evaluation (evaluator_hotkey);
CREATE TABLE idea_reward (
  position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
  task_id TEXT NOT NULL REFERENCES task(id), submission_id TEXT NOT NULL UNIQUE,
  implemented_submission_id TEXT NOT NULL, proposer_hotkey TEXT NOT NULL,
  implementer_hotkey TEXT NOT NULL, proposer_score REAL NOT NULL, implementer_score REAL NOT NULL,
  created_at TEXT NOT NULL, record TEXT);
CREATE TABLE best (
  task_id TEXT PRIMARY KEY REFERENCES task(id),
  submission_id TEXT NOT NULL REFERENCES submission(id),
  anchor_id TEXT NOT NULL REFERENCES submission(id), updated_at TEXT NOT NULL);
CREATE TABLE validator (hotkey TEXT PRIMARY KEY);
CREATE TABLE stake (hotkey TEXT PRIMARY KEY);
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
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

local function create(db)
  local made, message, code = db:exec(schema)
  if not made then return nil, message, code end
  return db:exec(("PRAGMA user_version = %d"):format(VERSION))
end

local function prepare(db, dir)
  local version = assert(db:query("PRAGMA user_version"))[1].user_version
  if version == VERSION then return true end
  local objects = assert(db:query("SELECT count(*) AS n FROM sqlite_master"))[1].n
  if objects == 0 then return create(db) end
  return nil, dir .. ": another version of bittern made this state; name another folder", "config"
end

--- Opens the state in a folder, making both when they are not there.
-- @param dir string
-- @return core.store, or nil, message, code
function M.open(dir)
  local made, message, code = fs.mkdir(dir, 0x1C0)
  if not made then return nil, message, code end
  local db, why, id = store.open(dir .. "/coordinator.db")
  if not db then return nil, why, id end
  -- A rehearsal has to survive its own end, not the machine's.
  assert(db:exec("PRAGMA synchronous = NORMAL"))
  local done, trouble, kind = db:transaction(function() return prepare(db, dir) end)
  if done then return db end
  db:close()
  return nil, trouble, kind
end

--- Rows of a query; the disk failing ends the request with a 500.
function M.rows(db, sql, ...)
  return assert(db:query(sql, ...))
end

--- The first row of a query, or nil.
function M.row(db, sql, ...)
  return M.rows(db, sql, ...)[1]
end

--- Inserts or changes one row and makes its record anew.
-- @param name of the table
-- @param sql that ends with RETURNING *
-- @return the row, nil when there is none
function M.put(db, name, sql, ...)
  local row = M.row(db, sql, ...)
  if not row then return nil end
  row.record = assert(json.encode(records[name](row)))
  assert(db:exec(("UPDATE %s SET record = ? WHERE position = ?"):format(name), row.record,
    row.position))
  return row
end

--- The records of a table as the text of a JSON array, in the order in which they came.
-- @param columns array of names that may filter
-- @param query {column = value}; absent ones do not filter
function M.list(db, name, columns, query)
  local where, values = {}, {}
  for _, column in ipairs(columns) do
    if query[column] then
      where[#where + 1] = column .. " = ?"
      values[#values + 1] = query[column]
    end
  end
  local condition = #where > 0 and "WHERE " .. table.concat(where, " AND ") or ""
  -- Joined by SQLite: thousands of rows never become tables.
  local sql = ([[SELECT '[' || ifnull(group_concat(record, ','), '') || ']' AS text
    FROM (SELECT record FROM %s %s ORDER BY position)]]):format(name, condition)
  return M.row(db, sql, table.unpack(values)).text
end

local function add(name)
  return function(db, hotkey)
    local sql = ("INSERT OR IGNORE INTO %s VALUES (?)"):format(name)
    local done, message, code = db:exec(sql, hotkey)
    if not done then return nil, message, code end
    return true
  end
end

--- Lets a hotkey act as validator; gives a hotkey the stake that the gate asks for.
-- @param db, hotkey
-- @return true, or nil, message, code
M.allow_validator, M.fund = add "validator", add "stake"

return M
