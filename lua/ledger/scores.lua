-- The ledger's record of scores: what an artifact or model of these bytes costs on a text.
local M = {}

--- Notes a score; of the same bytes, text and settings the last one stays.
-- @param score {model = path, sha256=, size=, text = SHA-256 of it, settings = text that is the
--   same when scores are comparable, nats=, error = standard error or nil, tokens=, parameters=}
-- @return true, or nil, message, code
function M:add_score(score)
  return self:update([[INSERT INTO scores (model, sha256, size, text, settings, nats, error, tokens,
    parameters, scored) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
    ON CONFLICT (sha256, text, settings) DO UPDATE SET model = ?1, nats = ?6, error = ?7,
    tokens = ?8, scored = ?10]], score.model, score.sha256, score.size, score.text, score.settings,
    score.nats, score.error, score.tokens, score.parameters, self.now())
end

--- All scores with what is known of how each was made, the newest first.
-- @return array of rows: those of the table, with `base` (path), `recipe` and `compression`
--   (settings as JSON) where these bytes were made here; or nil, message, code
function M:scores()
  return self:query([[SELECT scores.*, compressions.model AS base, compressions.recipe,
    compressions.settings AS compression FROM scores LEFT JOIN compressions ON compressions.id =
    (SELECT max(id) FROM compressions WHERE sha256 = scores.sha256)
    ORDER BY scores.scored DESC, scores.id DESC]])
end

return M
