-- What people and other commands want to know of a compression.
local plan = require "bittern.compress.plan"

local M = {}

local function describe(item, tensor)
  local t = { name = item.name, shape = item.shape, parameters = item.parameters,
    bytes = item.store == item.stored and tensor.size or plan.bytes(item),
    error_before = item.error_before,
    error_after = item.error_after, norm = item.norm }
  if item.kind == "keep" then
    t.codec = item.store:lower()
    return t
  end
  local m = plan.matrix(item)
  t.codec, t.group, t.rescued = m.codec, m.group, m.rescued
  t.bases = (m.bases or 1) > 1 and m.bases or nil
  t.offsets, t.columns = m.offsets or nil, m.columns or nil
  return t
end

-- Squared error of all matrices by the sum of their squares; nil when some were not measured.
local function total_error(tensors)
  local lost, norm = 0, 0
  for _, t in ipairs(tensors) do
    if t.rescued then
      if not t.norm or not t.error_after then return nil end
      lost, norm = lost + t.error_after, norm + t.norm
    end
  end
  return norm > 0 and lost / norm or nil
end

--- The result of a run.
-- @return see engine.run
function M.of(run)
  local whole, written, tensors = run.whole, run.written or {}, {}
  for i, item in ipairs(whole.items) do
    tensors[i] = describe(item, run.model:tensor(item.name))
  end
  return {
    plan = tensors, parameters = whole.parameters, bytes = plan.archive_size(whole),
    budget = whole.limit, out = run.options.out, error = total_error(tensors),
    recipe = whole.recipe.name, recipe_sha256 = whole.recipe.sha256, settings = whole.recipe.args,
    size = written.size, sha256 = written.sha256, resumed = run.resumed,
  }
end

return M
