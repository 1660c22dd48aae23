-- Recipes of GGUF blocks: the model becomes one GGUF file, each tensor in the codec that the recipe
-- gave it.
local convert = require "bittern.convert"

local prepare = require "bittern.compress.prepare"

local M = {}

local function each_of(whole)
  local each = {}
  for _, item in ipairs(whole.items) do
    if item.kind == "block" then
      each[item.name] = { to = item.codec, fit = item.fit }
    elseif item.store ~= item.stored then
      each[item.name] = { to = item.store:lower() }
    end
  end
  return each
end

local function result_of(whole, done, options)
  local tensors, by_name = {}, {}
  for _, t in ipairs(done.tensors) do by_name[t.from] = t end
  for _, item in ipairs(whole.items) do
    local t = by_name[item.name]
    if t then
      tensors[#tensors + 1] = { name = item.name, shape = item.shape, codec = t.codec,
        parameters = item.parameters }
    end
  end
  return {
    plan = tensors, parameters = whole.parameters, bytes = done.bytes, budget = whole.limit,
    out = options.out, size = done.bytes, recipe = whole.recipe.name,
    recipe_sha256 = whole.recipe.sha256, settings = whole.recipe.args,
  }
end

--- Compresses a model into a GGUF file.
-- @param model open
-- @param whole a plan whose items are blocks
-- @param options of engine.run
-- @return as engine.run
function M.run(model, whole, options)
  local out = options.out or "plan.gguf"
  if not out:find("%.gguf$") then
    return nil, ("%s: this recipe makes GGUF blocks; name a file that ends in .gguf"):format(out),
      "usage"
  end
  local work = { input = model.path, out = out, each = each_of(whole), dry_run = true,
    on_progress = options.on_progress }
  local planned, message, code = convert.run(work)
  if not planned then return nil, message, code end
  if whole.limit and planned.bytes > whole.limit then
    return nil, prepare.over_budget(model, whole, planned.bytes)
  end
  work.dry_run = options.dry_run or false
  if not work.dry_run then planned, message, code = convert.run(work) end
  if not planned then return nil, message, code end
  return result_of(whole, planned, options)
end

return M
