-- Recipes of GGUF blocks: the model becomes one GGUF file, each tensor in the codec that the recipe
-- gave it.
local quant = require "core.quant"
local sha256 = require "core.sha256"

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

local function bytes_of(codec, parameters)
  local values, bytes = quant.block(codec)
  return values > 0 and parameters // values * bytes or nil
end

local function result_of(whole, done, options)
  local tensors, by_name = {}, {}
  for _, t in ipairs(done.tensors) do by_name[t.from] = t end
  for _, item in ipairs(whole.items) do
    local t = by_name[item.name]
    if t then
      tensors[#tensors + 1] = { name = item.name, shape = item.shape, codec = t.codec,
        parameters = item.parameters, bytes = bytes_of(t.codec, item.parameters) }
    end
  end
  return {
    plan = tensors, parameters = whole.parameters, bytes = done.bytes, budget = whole.limit,
    out = options.out, recipe = whole.recipe.name,
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
  local result = result_of(whole, planned, options)
  if options.dry_run then return result end
  work.dry_run = false
  local made, why, id = convert.run(work)
  if not made then return nil, why, id end
  result.sha256, why, id = sha256.file(out)
  if not result.sha256 then return nil, why, id end
  result.size = made.bytes
  return result
end

return M
