-- JSON that is not signed: lua-cjson reads it, bittern.canonical writes it (sorted, exact).
local canonical = require "bittern.canonical"
local json_reader = require "bittern.json_reader"

local M = {}

M.null = canonical.null
M.array = canonical.array
M.encode = canonical.encode

local MAX_BYTES <const> = 64 << 20
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

-- cjson turns an empty array into an empty object, and every number into a double. A text that
-- may hold either kind of thing goes to the exact reader.
local function is_beyond_cjson(text)
  return text:find("%[%s*%]") or text:find(("%d"):rep(16))
end

local function read(text, options)
  local coarse = options and options.coarse
  if not coarse and is_beyond_cjson(text) then
    return json_reader.decode(text, { lenient = true })
  end
  local ok, value = pcall(cjson().decode, text)
  if ok then return value end
  return nil, tostring(value)
end

-- Whole numbers that a double holds exactly become integers again; null members go.
local function tidy(value)
  if math.type(value) == "float" then
    if math.abs(value) == math.huge then error({ "a number too large for a double" }, 0) end
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
-- Members that are null are left out; null as a whole, or in an array, is json.null. Whole floats
-- become integers; bittern.canonical keeps them apart.
-- @param text string
-- @param options {coarse = true: for large files; numbers come as doubles, null as a value of its
--   own, empty arrays as empty objects}
-- @return value, or nil, message, "invalid_json" or "too_large"
function M.decode(text, options)
  if #text > MAX_BYTES then
    return nil, ("JSON of %d bytes, more than %d"):format(#text, MAX_BYTES), "too_large"
  end
  local valid, bad = utf8.len(text)
  if not valid then return nil, ("not JSON: byte %d is not UTF-8"):format(bad), "invalid_json" end
  local value, message = read(text, options)
  if value == nil then return nil, "not JSON: " .. message, "invalid_json" end
  if options and options.coarse then return value end
  local ok, result = pcall(tidy, value)
  if ok then return result end
  if type(result) ~= "table" then error(result, 0) end
  return nil, "not JSON: " .. result[1], "invalid_json"
end

return M
