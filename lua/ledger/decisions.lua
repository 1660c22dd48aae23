-- The ledger's record of what its user decided where a task's page contradicts the task's record.
local M = {}

--- Notes a decision.
-- @param decision {coordinator=, task_id=, onboarding= SHA-256 of the page, field=,
--   contradiction= its words, why= the user's, or nil}
function M:decide(decision)
  return self:update([[INSERT OR REPLACE INTO decisions
    (coordinator, task_id, onboarding, field, contradiction, why, decided)
    VALUES (?, ?, ?, ?, ?, ?, ?)]], decision.coordinator, decision.task_id, decision.onboarding,
    decision.field, decision.contradiction, decision.why, self.now())
end

--- What was decided for a task while its page read like this.
-- @param key {coordinator=, task_id=, onboarding=}
-- @return {field = row}, or nil, message, code
function M:decisions(key)
  local rows, message, code = self:query([[SELECT * FROM decisions WHERE coordinator = ?
    AND task_id = ? AND onboarding = ?]], key.coordinator, key.task_id, key.onboarding)
  if not rows then return nil, "ledger: " .. message, code end
  local by_field = {}
  for _, row in ipairs(rows) do by_field[row.field] = row end
  return by_field
end

--- Forgets everything that was decided for a task.
function M:forget_decisions(coordinator, task_id)
  return self:update("DELETE FROM decisions WHERE coordinator = ? AND task_id = ?", coordinator,
    task_id)
end

return M
