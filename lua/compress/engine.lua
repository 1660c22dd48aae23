-- Compression of a model by a recipe: plan, measure, choose, write.
local fs = require "core.fs"
local lfs = require "lfs"
local sha256 = require "core.sha256"

local allocate = require "bittern.compress.allocate"
local budget = require "bittern.compress.budget"
local check = require "bittern.check"
local companions = require "bittern.artifact.companions"
local layout = require "bittern.artifact.layout"
local models = require "bittern.model"
local pack = require "bittern.artifact.pack"
local packed = require "bittern.artifact.packed"
local plan = require "bittern.compress.plan"
local recipes = require "bittern.compress.recipe"
local script = require "bittern.script"
local stats = require "bittern.compress.stats"
local write = require "bittern.compress.write"

local M = {}

local LOCK <const> = ".bittern.lock"

local function find_recipe(name, set)
  local found, path, code = script.find("recipe", name)
  if not found then return nil, path, code end
  local args, message, id = script.arguments(found, set)
  if not args then return nil, ("recipe %s: %s"):format(name, message), id end
  local hash, why, kind = sha256.file(path)
  if not hash then return nil, why, kind end
  local short = path:match("([^/]*)%.lua$") or path
  return { script = found, path = path, args = args, sha256 = hash, name = short }
end

-- Tensors that count and are stored: a tied head is the embedding under a second name.
local function names_of(model)
  local list = {}
  for _, name in ipairs(model.names) do
    if not (model.config.tie_word_embeddings == true and name == "lm_head.weight") then
      list[#list + 1] = name
    end
  end
  return list
end

local function ask_all(model, recipe, names, bits)
  local items = {}
  for i, name in ipairs(names) do
    local tensor, message, code = model:tensor(name)
    if not tensor then return nil, message, code end
    local item, why, id = recipes.ask(recipe, tensor, bits)
    if not item then return nil, why, id end
    items[i] = item
  end
  return items
end

-- Bytes of the archive: given as such, or as bits a parameter, which both size gates then bound.
local function limit_of(given, parameters)
  if given == nil then return nil end
  if math.type(given) == "integer" then return given, given * 8 / parameters end
  local numerator, denominator, code = budget.rate(given)
  if not numerator then return nil, denominator, code end
  local gates = budget.gates(0, parameters, given)
  return math.min(gates[1].limit, gates[2].limit), numerator / denominator
end

local function make_plan(model, options)
  if model.kind == "gguf" or model.kind == "safetensors" then
    return nil, model.path .. ": is a file; compress a Hugging Face directory, which `bittern "
      .. "convert` makes of a GGUF file", "usage"
  end
  if (model.metadata or {}).format == layout.FORMAT then
    return nil, model.path .. ": is packed already; compress the base model", "usage"
  end
  local parameters, message, code = packed.parameters(model)
  if not parameters then return nil, message, code end
  local limit, bits, id = limit_of(options.budget, parameters)
  if options.budget ~= nil and not limit then return nil, bits, id end
  local recipe, why, kind = find_recipe(options.recipe, options.set)
  if not recipe then return nil, why, kind end
  local items, reason, cause = ask_all(model, recipe, names_of(model), bits)
  if not items then return nil, reason, cause end
  local files, fault, fault_code = companions.files(model, recipe.name)
  if not files then return nil, fault, fault_code end
  return { items = items, files = files, recipe = recipe, parameters = parameters, limit = limit }
end

local function over_budget(model, whole)
  local size = plan.archive_size(whole)
  if not whole.limit or size <= whole.limit then return nil end
  return ("%s: the smallest archive of this recipe has %d bytes, %d bytes over the budget of %d")
    :format(model.path, size, size - whole.limit, whole.limit)
end

-- Items whose rescued rows depend on errors, and the bytes that measuring them reads.
local function to_measure(model, whole)
  local list, bytes = {}, 0
  for _, item in ipairs(whole.items) do
    if stats.is_wanted(item) then
      if item.rescue == "budget" and not whole.limit then
        return nil, 'rescue = "budget" needs a budget: give --budget', "usage"
      end
      list[#list + 1] = { item = item }
      bytes = bytes + model:tensor(item.name).size
    elseif item.kind == "pack" then
      item.rescued = item.rescue
    end
  end
  return list, bytes
end

local function measure(model, whole, list, advance)
  for _, entry in ipairs(list) do
    local tensor = model:tensor(entry.item.name)
    local found, message, code = stats.matrix(tensor, entry.item)
    if not found then return nil, model.path .. ": " .. message, code end
    entry.stats = found
    advance(tensor.size)
  end
  allocate.run(whole, list, whole.limit)
  return true
end

-- A plan with its rescued rows chosen.
local function complete_plan(model, options)
  local whole, message, code = make_plan(model, options)
  if not whole then return nil, message, code end
  local list, bytes, id = to_measure(model, whole)
  if not list then return nil, bytes, id end
  local over = over_budget(model, whole)
  if over then return nil, over, "over_budget" end
  local done, total = 0, bytes
  for _, item in ipairs(whole.items) do total = total + model:tensor(item.name).size end
  function whole.advance(count)
    done = done + count
    if options.on_progress then options.on_progress(done, total) end
  end
  local ok, why, kind = measure(model, whole, list, whole.advance)
  if not ok then return nil, why, kind end
  over = over_budget(model, whole)
  if over then return nil, over, "over_budget" end
  return whole
end

-- Half files of a run that was killed; the lock says that nobody writes them now.
local function sweep(out)
  for name in lfs.dir(out) do
    if name:find("^%..*%.tmp%-%x+$") then
      local ok, message, code = fs.remove(out .. "/" .. name)
      if not ok then return nil, message, code end
    end
  end
  return true
end

-- Whatever else lies in the folder would be packed with it, and the size would be another.
local function check_folder(out, whole)
  local expected = {}
  for _, file in ipairs(plan.files(whole)) do expected[file.name] = true end
  local there, message, code = pack.list(out)
  if not there then return nil, message, code end
  for _, file in ipairs(there) do
    if not expected[file.name] then
      return nil, ("%s: '%s' would be packed, too; name an empty folder"):format(out, file.name),
        "usage"
    end
  end
  return true
end

local function prepare(out, whole)
  local ok, message, code = fs.mkdir(out)
  if ok then ok, message, code = check_folder(out, whole) end
  if not ok then return nil, message, code end
  local lock, why, id = fs.lock(out .. "/" .. LOCK)
  if not lock then return nil, why, id end
  local swept, reason, kind = sweep(out)
  if swept then return lock end
  lock:close()
  return nil, reason, kind
end

-- The weights come last: a folder with them is complete.
local function write_folder(model, whole, out)
  local lock <close>, message, code = prepare(out, whole)
  if not lock then return nil, message, code end
  for _, file in ipairs(whole.files) do
    local ok, why, id = fs.write(out .. "/" .. file.name, file.text)
    if not ok then return nil, why, id end
  end
  return write.weights(whole, model, out .. "/" .. plan.WEIGHTS, whole.advance)
end

-- What people and other commands want to know of a plan.
local function summary(whole)
  local tensors = {}
  for i, item in ipairs(whole.items) do
    local m = item.kind == "pack" and plan.matrix(item)
    tensors[i] = {
      name = item.name, shape = item.shape, codec = m and m.codec or item.store:lower(),
      group = m and m.group or nil, rescued = m and m.rescued or nil,
      error_before = item.error_before, error_after = item.error_after,
    }
  end
  return tensors
end

local schema = {
  model = { type = "string" }, recipe = { type = "string" },
  out = { type = "string", optional = true }, budget = { type = "any", optional = true },
  set = { type = "table", optional = true }, dry_run = { type = "boolean", optional = true },
  on_progress = { type = "function", optional = true },
}

--- Compresses a model.
-- @param options {model = path, recipe = name or path, out = folder, budget = bytes, or a rate as
--   budget.rate takes it, or nil, set = {argument = value}, dry_run = plan only,
--   on_progress = function(bytes done, bytes in all)}
-- @return {plan = array of {name, shape, codec, group, rescued, error_before, error_after},
--   parameters, bytes = size of the archive that pack will make, budget = bytes or nil, out}, or
--   nil, message, code
function M.run(options)
  options = check.options(options, schema, "engine.run")
  local model <close>, message, code = models.open(options.model)
  if not model then return nil, message, code end
  local whole, why, id = complete_plan(model, options)
  if not whole then return nil, why, id end
  if not options.dry_run then
    local ok, reason, kind = write_folder(model, whole, assert(options.out, "engine.run: no out"))
    if not ok then return nil, reason, kind end
  end
  return {
    plan = summary(whole), parameters = whole.parameters, bytes = plan.archive_size(whole),
    budget = whole.limit, out = options.out,
  }
end

return M
