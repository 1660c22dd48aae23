-- JSON that is not signed: lua-cjson reads it, bittern.canonical writes it (sorted, exact).
local canonical = require "bittern.canonical"

local M = {}

M.null = canonical.null
M.array = canonical.array
M.encode = canonical.encode

local reader

-- Opened at the first use: many commands read no JSON.
local function cjson()
  if not reader then
    reader = require("cjson").new()
    reader.decode_invalid_numbers(false)
    reader.decode_max_depth(64)
  end
  return reader
end

-- cjson gives floats only; whole numbers that a double holds exactly become integers again.
local function tidy(value)
  if math.type(value) == "float" then
    return value % 1 == 0 and math.abs(value) <= 2 ^ 53 and math.tointeger(value) or value
  end
  if type(value) ~= "table" then return value end
  for key, member in pairs(value) do
    if member == M.null and type(key) == "string" then
      value[key] = nil
    else
      value[key] = tidy(member)
    end
  end
  return value
end

--- Reads JSON.
-- Members that are null are left out; null as a whole, or in an array, is json.null.
-- @param text string
-- @return value, or nil, message, "invalid_json"
function M.decode(text)
  local ok, value = pcall(cjson().decode, text)
  if not ok then return nil, "not JSON: " .. tostring(value), "invalid_json" end
  return tidy(value)
end

return M
