-- The tables of the ledger, and their version.
local M = {}

local VERSION <const> = 6

local posts <const> = [[CREATE TABLE posts (id INTEGER PRIMARY KEY, run INTEGER REFERENCES runs,
  coordinator TEXT NOT NULL, hotkey TEXT NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL,
  task_id TEXT, body TEXT NOT NULL, body_sha256 TEXT NOT NULL, attempts INTEGER NOT NULL,
  state TEXT NOT NULL, record_id TEXT, status TEXT, message TEXT, started REAL NOT NULL,
  sent REAL, ended REAL)]]
local posts_index <const> = "CREATE INDEX posts_subject ON posts (coordinator, kind, subject)"

local compressions <const> = [[CREATE TABLE compressions (id INTEGER PRIMARY KEY,
  model TEXT NOT NULL, recipe TEXT NOT NULL, recipe_sha256 TEXT NOT NULL, settings TEXT NOT NULL,
  budget INTEGER, parameters INTEGER NOT NULL, bytes INTEGER NOT NULL, error REAL,
  out TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT, started REAL NOT NULL,
  ended REAL NOT NULL)]]
local tensors <const> = [[CREATE TABLE tensors (compression INTEGER NOT NULL REFERENCES
  compressions, name TEXT NOT NULL, codec TEXT NOT NULL, plan TEXT NOT NULL, bytes INTEGER,
  error REAL, PRIMARY KEY (compression, name))]]
-- One score of the same bytes on the same text in the same way.
local scores <const> = [[CREATE TABLE scores (id INTEGER PRIMARY KEY, model TEXT NOT NULL,
  sha256 TEXT NOT NULL, size INTEGER NOT NULL, text TEXT NOT NULL, settings TEXT NOT NULL,
  nats REAL NOT NULL, error REAL, tokens INTEGER NOT NULL, parameters INTEGER NOT NULL,
  scored REAL NOT NULL, UNIQUE (sha256, text, settings))]]

local decisions <const> = [[CREATE TABLE decisions (coordinator TEXT NOT NULL,
  task_id TEXT NOT NULL, onboarding TEXT NOT NULL, field TEXT NOT NULL,
  contradiction TEXT NOT NULL, why TEXT, decided REAL NOT NULL,
  PRIMARY KEY (coordinator, task_id, onboarding, field))]]
-- What a packed matrix costs alone, in nats a token, and the standard error of that.
local costs <const> = [[CREATE TABLE costs (sha256 TEXT NOT NULL, text TEXT NOT NULL,
  settings TEXT NOT NULL, name TEXT NOT NULL, model TEXT NOT NULL, base TEXT NOT NULL,
  codec TEXT NOT NULL, rescued INTEGER, lost REAL NOT NULL, error REAL, measured REAL NOT NULL,
  PRIMARY KEY (sha256, text, settings, name))]]

local schema = {
  [[CREATE TABLE runs (id INTEGER PRIMARY KEY, workflow TEXT NOT NULL, slug TEXT NOT NULL,
    coordinator TEXT NOT NULL, hotkey TEXT NOT NULL, settings TEXT NOT NULL, pid INTEGER NOT NULL,
    started REAL NOT NULL, ended REAL, state TEXT NOT NULL)]],
  [[CREATE INDEX runs_key ON runs (coordinator, slug, hotkey, workflow)]],
  [[CREATE TABLE steps (run INTEGER NOT NULL REFERENCES runs, name TEXT NOT NULL,
    state TEXT NOT NULL, inputs TEXT NOT NULL, result TEXT, line TEXT, started REAL NOT NULL,
    ended REAL, PRIMARY KEY (run, name))]],
  [[CREATE TABLE artifacts (id INTEGER PRIMARY KEY, run INTEGER REFERENCES runs,
    path TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL, url TEXT NOT NULL,
    published REAL NOT NULL)]],
  posts, posts_index, compressions, tensors, scores, decisions, costs,
  [[CREATE TABLE events (id INTEGER PRIMARY KEY, run INTEGER REFERENCES runs, at REAL NOT NULL,
    kind TEXT NOT NULL, text TEXT NOT NULL)]],
}

-- What makes a version of the one before. Version 1 had a table for claims and one for submissions.
local steps = { {
  posts, posts_index,
  [[INSERT INTO posts SELECT NULL, run, coordinator, hotkey, 'claim', task_id, task_id, '', '', 1,
    CASE state WHEN 'active' THEN 'done' WHEN 'intent' THEN 'unknown' ELSE state END,
    claim_id, NULL, message, started, started, ended FROM claims]],
  [[INSERT INTO posts SELECT NULL, run, coordinator, hotkey, 'submission', claim_id, task_id, body,
    body_sha256, attempts, CASE WHEN state = 'sent' THEN 'done'
    WHEN state = 'intent' AND attempts > 0 THEN 'unknown' ELSE state END,
    submission_id, status, message, started, started, ended FROM submissions]],
  "DROP TABLE claims", "DROP TABLE submissions",
}, { compressions, tensors }, { scores }, { decisions }, { costs } }

local function apply(db, statements)
  for _, statement in ipairs(statements) do
    local ok, message, code = db:exec(statement)
    if not ok then return nil, message, code end
  end
  return db:exec("PRAGMA user_version = " .. VERSION)
end

local function bring_up(db, version)
  for from = version, VERSION - 1 do
    local ok, message, code = apply(db, steps[from])
    if not ok then return nil, message, code end
  end
  return true
end

--- Makes the tables of a new file, brings an older one up to date, refuses one that a later
-- bittern wrote. Two processes may meet here, so the version is read inside the transaction.
-- @param db an open core.store
-- @return true, or nil, message, code
function M.prepare(db)
  return db:transaction(function()
    local rows, message, code = db:query("PRAGMA user_version")
    if not rows then return nil, message, code end
    local version = rows[1].user_version
    if version == VERSION then return true end
    if version == 0 then return apply(db, schema) end
    if version < VERSION then return bring_up(db, version) end
    return nil, ("version %d is not known here; this bittern writes version %d"):format(
      version, VERSION), "config"
  end)
end

return M
