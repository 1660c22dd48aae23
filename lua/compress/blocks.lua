-- Recipes of GGUF blocks: the model becomes one GGUF file, each tensor in the codec that the recipe
-- gave it.
local quant = require "core.quant"

local convert = require "bittern.convert"
local prepare = require "bittern.compress.prepare"
local resumed = require "bittern.compress.resumed"

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

local function note_change(file, options)
  if not file.changed or not options.on_note then return end
  options.on_note(("starts over: the %s is another than last time"):format(file.changed))
end

-- Writes what was planned; a file of a stopped run is taken up again.
local function write(model, whole, options, work)
  local file
  function work.create(path, contents)
    local message, code
    file, message, code = resumed.create(path, contents, prepare.key(model, whole, options))
    if file then note_change(file, options) end
    return file, message, code
  end
  work.dry_run = false
  local made, why, id = convert.run(work)
  if made then return made, file.there end
  if id == "invalid_model" then resumed.discard(work.out) end
  return nil, why, id
end

--- Compresses a model into a GGUF file. Stopped and started again, it goes on after the last whole
-- tensor.
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
  local made, there, id = write(model, whole, options, work)
  if not made then return nil, there, id end
  result.size, result.sha256, result.resumed = made.bytes, made.sha256, there
  return result
end

return M
