-- The tables of the ledger, and their version.
local M = {}

local VERSION <const> = 1

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
  [[CREATE TABLE claims (id INTEGER PRIMARY KEY, run INTEGER REFERENCES runs,
    coordinator TEXT NOT NULL, task_id TEXT NOT NULL, hotkey TEXT NOT NULL, state TEXT NOT NULL,
    claim_id TEXT, message TEXT, started REAL NOT NULL, ended REAL)]],
  [[CREATE TABLE submissions (id INTEGER PRIMARY KEY, run INTEGER REFERENCES runs,
    coordinator TEXT NOT NULL, task_id TEXT NOT NULL, hotkey TEXT NOT NULL, claim_id TEXT NOT NULL,
    artifact_sha256 TEXT NOT NULL, body TEXT NOT NULL, body_sha256 TEXT NOT NULL,
    attempts INTEGER NOT NULL, state TEXT NOT NULL, submission_id TEXT, status TEXT, message TEXT,
    started REAL NOT NULL, ended REAL)]],
  [[CREATE INDEX submissions_claim ON submissions (coordinator, claim_id)]],
  [[CREATE TABLE events (id INTEGER PRIMARY KEY, run INTEGER REFERENCES runs, at REAL NOT NULL,
    kind TEXT NOT NULL, text TEXT NOT NULL)]],
}

local function create(db)
  for _, statement in ipairs(schema) do
    local ok, message, code = db:exec(statement)
    if not ok then return nil, message, code end
  end
  return db:exec("PRAGMA user_version = " .. VERSION)
end

--- Makes the tables of a new file; refuses one that a later bittern wrote. Two processes may
-- meet here, so the version is read inside the transaction.
-- @param db an open core.store
-- @return true, or nil, message, code
function M.prepare(db)
  return db:transaction(function()
    local rows, message, code = db:query("PRAGMA user_version")
    if not rows then return nil, message, code end
    local version = rows[1].user_version
    if version == VERSION then return true end
    if version == 0 then return create(db) end
    return nil, ("version %d is not known here; this bittern writes version %d"):format(
      version, VERSION), "config"
  end)
end

return M
