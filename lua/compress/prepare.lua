-- The plan before any number is read: what the recipe says of each tensor, what lies beside the
-- weights, and how many bytes there may be.
local sha256 = require "core.sha256"

local budget = require "bittern.compress.budget"
local canonical = require "bittern.canonical"
local companions = require "bittern.artifact.companions"
local importance = require "bittern.compress.importance"
local layout = require "bittern.artifact.layout"
local packed = require "bittern.artifact.packed"
local plan = require "bittern.compress.plan"
local recipes = require "bittern.compress.recipe"
local version = require "bittern.version"

local M = {}

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

local function ask_all(model, recipe, names, bits, limits)
  local items = {}
  for i, name in ipairs(names) do
    local tensor, message, code = model:tensor(name)
    if not tensor then return nil, message, code end
    local item, why, id = recipes.ask(recipe, tensor, bits, limits)
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

local function check_model(model)
  if model.kind == "gguf" or model.kind == "safetensors" then
    return nil, model.path .. ": is a file; compress a Hugging Face directory, which `bittern "
      .. "convert` makes of a GGUF file", "usage"
  end
  if (model.metadata or {}).format == layout.FORMAT then
    return nil, model.path .. ": is packed already; compress the base model", "usage"
  end
  return true
end

-- Packed matrices and GGUF's blocks do not go into one file.
local function check_kinds(whole)
  local names = {}
  for _, item in ipairs(whole.items) do names[item.kind] = names[item.kind] or item.name end
  whole.blocks = names.block ~= nil
  if not names.pack or not names.block then return true end
  return nil, ("%s: '%s' is packed and '%s' made of GGUF blocks; a model is all the one or all the "
    .. "other"):format(whole.recipe.path, names.pack, names.block), "script"
end

local function check_budget(whole)
  for _, item in ipairs(whole.items) do
    for _, choice in ipairs(item.choices or {}) do
      if choice.rescue == "budget" and not whole.limit then
        return nil, 'rescue = "budget" needs a budget: give --budget', "usage"
      end
    end
    if item.kind == "pack" and item.choices[1].rescue ~= "budget" then
      item.rescued = item.choices[1].rescue
    end
  end
  return true
end

local function add_importance(whole, path)
  if not path then return true end
  local of, message, code = importance.open(path)
  if not of then return nil, message, code end
  for _, item in ipairs(whole.items) do
    if item.kind == "pack" then
      local values, why, id = of(item)
      if values == nil then return nil, why, id end
      item.importance = values or nil
    end
  end
  return true
end

-- The order in which the tensors' bytes lie on the disk.
local function in_file_order(model, items)
  local list = table.move(items, 1, #items, 1, {})
  local function key(item)
    local file = model.weights[item.name]
    return file.name, file.by_name[item.name].offset
  end
  table.sort(list, function(a, b)
    local file_a, at_a = key(a)
    local file_b, at_b = key(b)
    if file_a ~= file_b then return file_a < file_b end
    if at_a ~= at_b then return at_a < at_b end
    return a.name < b.name
  end)
  return list
end

--- Makes the plan of a model.
-- @param model open
-- @param options of engine.run
-- @return {items = array sorted by name, order = the same in the order of their bytes, files =
--   array of {name, text}, recipe, parameters, limit = bytes or nil, blocks = whether the output
--   is a GGUF file}, or nil, message, code
function M.plan(model, options)
  local ok, message, code = check_model(model)
  if not ok then return nil, message, code end
  local parameters, why, id = packed.parameters(model)
  if not parameters then return nil, why, id end
  local limit, bits, kind = limit_of(options.budget, parameters)
  if options.budget ~= nil and not limit then return nil, bits, kind end
  local whole = { parameters = parameters, limit = limit }
  whole.recipe, message, code = recipes.find(options.recipe, options.set)
  if not whole.recipe then return nil, message, code end
  whole.items, message, code = ask_all(model, whole.recipe, names_of(model), bits, options.limits)
  recipes.close(whole.recipe)
  if not whole.items then return nil, message, code end
  whole.order = in_file_order(model, whole.items)
  for _, check in ipairs { check_kinds, check_budget } do
    ok, message, code = check(whole)
    if not ok then return nil, message, code end
  end
  whole.files, message, code = companions.files(model, whole.recipe.name)
  if not whole.files then return nil, message, code end
  ok, message, code = add_importance(whole, options.importance)
  if not ok then return nil, message, code end
  return whole
end

local function model_text(model, whole)
  local parts = { model:stamp() }
  for _, file in ipairs(whole.files) do
    parts[#parts + 1] = file.name .. " " .. sha256.hex(file.text)
  end
  return table.concat(parts, "\n")
end

--- Everything that the bytes of an artifact depend on.
-- @return {name = text}
function M.key(model, whole, options)
  local matters = options.importance and sha256.file(options.importance) or "none"
  return {
    bittern = version, model = sha256.hex(model_text(model, whole)),
    recipe = whole.recipe.sha256, budget = tostring(whole.limit), importance = matters,
    settings = assert(canonical.encode(whole.recipe.args)),
  }
end

--- The complaint that not even the smallest archive fits.
-- @param size bytes of the smallest archive
function M.over_budget(model, whole, size)
  return ("%s: the smallest archive of this recipe has %d bytes, %d bytes over the budget of %d")
    :format(model.path, size, size - whole.limit, whole.limit), "over_budget"
end

-- Takes the choice with the fewest bytes.
local function take_smallest(item)
  local least
  for number, choice in ipairs(item.choices) do
    local rescued = choice.rescue ~= "budget" and choice.rescue or 0
    local bytes = plan.bytes(setmetatable({ chosen = number, rescued = rescued },
      { __index = item }))
    if not least or bytes < least then
      least, item.chosen, item.rescued = bytes, number, rescued
    end
  end
end

--- Whether at least the smallest archive of a plan fits its budget, before anything is measured.
-- @return true, or nil, message, "over_budget"
function M.check_smallest(model, whole)
  if not whole.limit then return true end
  local before = {}
  for _, item in ipairs(whole.items) do
    before[item] = { item.chosen, item.rescued }
    if item.kind == "pack" then take_smallest(item) end
  end
  local size = plan.archive_size(whole)
  for item, state in pairs(before) do item.chosen, item.rescued = state[1], state[2] end
  if size <= whole.limit then return true end
  return nil, M.over_budget(model, whole, size)
end

return M
