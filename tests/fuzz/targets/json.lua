-- bittern.json_reader against itself, lua-cjson and the encoder: what is read strictly is read
-- alike by all of them, and survives being written.
local canonical = require "bittern.canonical"
local json = require "bittern.json"
local outcome = require "tests.fuzz.outcome"
local reader = require "bittern.json_reader"

-- An exact value as bittern.json gives it: without null members, whole floats as integers.
local function coarse(value)
  if math.type(value) == "float" then
    return value % 1 == 0 and math.abs(value) <= 2 ^ 53 and math.tointeger(value) or value
  end
  if type(value) ~= "table" then return value end
  local copy, is_array = {}, canonical.is_array(value)
  for key, member in pairs(value) do
    if is_array or member ~= json.null then copy[key] = coarse(member) end
  end
  return copy
end

return function(text)
  local lenient = reader.decode(text, { lenient = true })
  local python = reader.decode(text, { python = true })
  local plain, problem, id = json.decode(text)
  if plain == nil then outcome.refused(problem, id) end
  local value, message, code = reader.decode(text)
  if value == nil then return outcome.refused(message, code) end
  assert(outcome.same(value, lenient) and outcome.same(value, python), "read in two ways")
  assert(outcome.same(coarse(value), plain), "another value by cjson")
  local again = reader.decode(assert(canonical.encode(value)))
  assert(outcome.same(value, again), "written as something else")
  return "read"
end
