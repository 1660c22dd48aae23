-- The ledger's record of every POST to a coordinator: what was meant, what left, what came of it.
--
-- state     meaning
-- intent    written down; nothing has left this machine
-- unknown   it may be out, and nobody has said what became of it; so it stands from the moment
--           before the first byte leaves, and so it is found when this process dies
-- done      carried out: `record_id` is what it made or changed
-- refused   the coordinator said no
-- not_sent  it never arrived
local sha256 = require "core.sha256"

local M = {}

--- Notes a POST with its exact body, before it is sent.
-- @param post {kind="claim"|"submission"|"cancel"|a word of a mode's own, subject= id of what it is
--   about (task, claim, submission), coordinator=, hotkey=, task_id= or nil, run= id or nil,
--   body= text or nil}
-- @return row, or nil, message, code
function M:intend(post)
  local body = post.body or ""
  local id, message, code = self:insert([[INSERT INTO posts (run, coordinator, hotkey, kind,
    subject, task_id, body, body_sha256, attempts, state, started)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 'intent', ?)]],
    post.run, post.coordinator, post.hotkey, post.kind, post.subject, post.task_id, body,
    sha256.hex(body), self.now())
  if not id then return nil, message, code end
  return self:first("SELECT * FROM posts WHERE id = ?", id)
end

--- Notes that it is about to be sent, once more: from here on it may be out.
-- @return row as it is now, or nil, message, code
function M:attempt(id)
  local ok, message, code = self:update([[UPDATE posts SET attempts = attempts + 1,
    state = 'unknown', sent = ?, ended = NULL WHERE id = ?]], self.now(), id)
  if not ok then return nil, message, code end
  return self:first("SELECT * FROM posts WHERE id = ?", id)
end

--- Notes what became of it.
-- @param state "done", "refused", "not_sent" or "unknown"
-- @param outcome {record_id=, status=, message=}
function M:outcome(id, state, outcome)
  return self:update([[UPDATE posts SET state = ?, record_id = ?, status = ?, message = ?, ended = ?
    WHERE id = ?]], state, outcome.record_id, outcome.status, outcome.message, self.now(), id)
end

--- The newest POST of a kind about a subject, by one hotkey at one coordinator.
-- @param key {coordinator=, hotkey=, kind=, subject=}
-- @return row, false, or nil, message, code
function M:last_post(key)
  return self:first([[SELECT * FROM posts WHERE coordinator = ? AND hotkey = ? AND kind = ?
    AND subject = ? ORDER BY id DESC LIMIT 1]], key.coordinator, key.hotkey, key.kind, key.subject)
end

--- Whether an earlier POST about the same was sent and given up: it may have come late.
-- @param row of the ledger
-- @return boolean, or nil, message, code
function M:given_up_before(row)
  local found, message, code = self:first([[SELECT id FROM posts WHERE coordinator = ?
    AND hotkey = ? AND kind = ? AND subject = ? AND id < ? AND state = 'not_sent'
    AND attempts > 0 LIMIT 1]],
    row.coordinator, row.hotkey, row.kind, row.subject, row.id)
  if found == nil then return nil, message, code end
  return found and true
end

--- The newest POST of a kind that a run made.
-- @return row, false, or nil, message, code
function M:run_post(run, kind)
  return self:first("SELECT * FROM posts WHERE run = ? AND kind = ? ORDER BY id DESC LIMIT 1",
    run, kind)
end

--- The submission made, or meant to be made, for a claim.
-- @return row, false, or nil, message, code
function M:submission(coordinator, claim_id)
  return self:first([[SELECT * FROM posts WHERE coordinator = ? AND kind = 'submission'
    AND subject = ? ORDER BY id DESC LIMIT 1]], coordinator, claim_id)
end

--- The POST that made a record.
-- @return row, false, or nil, message, code
function M:made_by(coordinator, record_id)
  return self:first("SELECT * FROM posts WHERE coordinator = ? AND record_id = ? LIMIT 1",
    coordinator, record_id)
end

--- Every POST: those of unknown outcome first, then the newest.
-- @param filter {state= or nil, limit= or nil, coordinator= or nil, hotkey= or nil}
-- @return array of rows, or nil, message, code
function M:posts(filter)
  return self:query([[SELECT posts.*, runs.slug FROM posts LEFT JOIN runs ON runs.id = posts.run
    WHERE posts.state = ifnull(?1, posts.state)
    AND posts.coordinator = ifnull(?2, posts.coordinator)
    AND posts.hotkey = ifnull(?3, posts.hotkey)
    ORDER BY posts.state <> 'unknown', posts.id DESC LIMIT ifnull(?4, -1)]],
    filter.state, filter.coordinator, filter.hotkey, filter.limit)
end

--- Notes the last known status of what a POST made.
function M:set_status(coordinator, record_id, status)
  return self:update("UPDATE posts SET status = ? WHERE coordinator = ? AND record_id = ?",
    status, coordinator, record_id)
end

return M
