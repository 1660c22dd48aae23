-- The ledger's record of compressions: what was made of which model, how, and with which error.
local canonical = require "bittern.canonical"

local M = {}

-- What the plan says of a tensor, beside its codec.
local function plan_text(t)
  return canonical.encode { group = t.group or 0, rescued = t.rescued or 0, bases = t.bases or 1,
    offsets = t.offsets or false, columns = t.columns or false, parameters = t.parameters }
end

-- Lost squares by all squares; nil where that was not measured.
local function relative(t)
  return t.norm and t.norm > 0 and t.error_after and t.error_after / t.norm or nil
end

local function add_tensor(ledger, id, t)
  return ledger:update([[INSERT INTO tensors (compression, name, codec, plan, bytes, error)
    VALUES (?, ?, ?, ?, ?, ?)]], id, t.name, t.codec, assert(plan_text(t)), t.bytes, relative(t))
end

--- Notes a compression that is done.
-- @param model path of the base model
-- @param result of bittern.compress.engine
-- @param started seconds since 1970
-- @return id, or nil, message, code
function M:add_compression(model, result, started)
  local settings = assert(canonical.encode(result.settings))
  local id, message, code
  local ok, why, kind = self.db:transaction(function()
    id, message, code = self:insert([[INSERT INTO compressions (model, recipe, recipe_sha256,
      settings, budget, parameters, bytes, error, out, size, sha256, started, ended)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)]], model, result.recipe, result.recipe_sha256,
      settings, result.budget, result.parameters, result.bytes, result.error, result.out,
      result.size, result.sha256, started, self.now())
    if not id then return nil, message, code end
    for _, t in ipairs(result.plan) do
      local added, reason, cause = add_tensor(self, id, t)
      if not added then return nil, reason, cause end
    end
    return true
  end)
  if not ok then return nil, why, kind end
  return id
end

--- Notes the archive that was made of a compression.
-- @param id of the compression
-- @param archive {size=, sha256=}
-- @return true, or nil, message, code
function M:set_archive(id, archive)
  return self:update("UPDATE compressions SET size = ?, sha256 = ? WHERE id = ?", archive.size,
    archive.sha256, id)
end

--- The tensors of a compression, in the model's order.
-- @return array of {name, codec, plan = JSON, bytes, error}, or nil, message, code
function M:tensors(id)
  return self:query("SELECT * FROM tensors WHERE compression = ? ORDER BY rowid", id)
end

--- Compressions of a model, the newest first.
-- @return array of rows, or nil, message, code
function M:compressions(model)
  return self:query("SELECT * FROM compressions WHERE model = ? ORDER BY id DESC", model)
end

return M
