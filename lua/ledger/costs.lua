-- The ledger's record of what each packed matrix of an artifact costs alone (`eval --by-layer`).
local M = {}

local insert <const> = [[INSERT INTO costs (sha256, text, settings, name, model, base, codec,
  rescued, lost, error, measured) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)]]

--- Notes the costs of an artifact's matrices; of the same bytes, text and settings the last stay.
-- @param mark {sha256 = of the artifact, text = SHA-256, settings = text that is the same when
--   costs are comparable, model = path, base = path of the dense model}
-- @param tensors of bittern.eval.layers: array of {name, codec, rescued, lost_nats,
--   lost_error_nats}
-- @return true, or nil, message, code
function M:add_costs(mark, tensors)
  return self.db:transaction(function()
    local ok, message, code = self:update(
      "DELETE FROM costs WHERE sha256 = ? AND text = ? AND settings = ?",
      mark.sha256, mark.text, mark.settings)
    for _, t in ipairs(tensors) do
      if not ok then return nil, message, code end
      ok, message, code = self:update(insert, mark.sha256, mark.text, mark.settings, t.name,
        mark.model, mark.base, t.codec, t.rescued, t.lost_nats, t.lost_error_nats, self.now())
    end
    return ok, message, code
  end)
end

--- The newest costs of an artifact.
-- @param sha256 of it
-- @return array of rows {name, codec, rescued, lost, error, text, base, ...}, or nil, message, code
function M:costs(sha256)
  return self:query([[SELECT * FROM costs WHERE sha256 = ?1 AND (text, settings) =
    (SELECT text, settings FROM costs WHERE sha256 = ?1 ORDER BY measured DESC LIMIT 1)
    ORDER BY name]], sha256)
end

return M
