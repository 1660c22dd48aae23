-- What is checked of a recipe: its table, its arguments, and what it asks to be done with a tensor.
-- The input: JSON {recipe =, set =, call =, options =}.
local actions = require "bittern.compress.actions"
local arguments = require "bittern.script.arguments"
local check = require "bittern.check"
local fault = require "bittern.compress.fault"
local json = require "bittern.json"
local kinds = require "bittern.script.kinds"
local layout = require "bittern.artifact.layout"
local outcome = require "tests.fuzz.outcome"

local TENSOR <const> = { name = "w", rank = 2, shape = { 8, 64 }, dtype = "bf16", stored = "BF16",
  parameters = 512, rows = 8, cols = 64 }

local function table_of(value)
  return type(value) == "table" and value or {}
end

local function check_table(recipe, set)
  recipe.tensor = check_table -- a function, which JSON has not
  local ok, message = check.table(recipe, kinds.schema("recipe"))
  if ok then ok, message = arguments.check(table_of(recipe.args)) end
  if not ok then return assert(message) end
  local values, why, code = arguments.values(recipe, set)
  if not values then return outcome.refused(why, code) end
end

-- A choice that is taken can be stored.
local function check_action(token)
  local fields = assert(actions.taken(token, TENSOR))
  assert(not actions.taken(token, TENSOR), "taken twice")
  for _, choice in ipairs(fields.choices or {}) do
    assert(not layout.fault(choice))
    local m = setmetatable({ shape = TENSOR.shape, rescued = 0 }, { __index = choice })
    assert(#layout.tensors("w", m) >= 2)
  end
end

return function(text)
  local value = table_of(json.decode(text))
  check_table(table_of(value.recipe), table_of(value.set))
  local call = actions.functions(TENSOR)[value.call]
  if not call then return "no call" end
  local ok, token = pcall(call, value.options)
  if ok then
    check_action(token)
    return "read"
  end
  assert(getmetatable(token) == fault.Fault, token)
  assert(type(token.message) == "string")
  return "fault"
end
