-- bittern.canonical and core.number against a slow encoder that shares no code with them. The
-- input's first eight bytes are a double, the rest is JSON.
local canonical = require "bittern.canonical"
local number = require "core.number"
local outcome = require "tests.fuzz.outcome"
local reader = require "bittern.json_reader"

-- Of decimals with one number of digits, the nearest first, then its neighbours: one that reads
-- back as the same double; or nil.
local function decimal(value, digits)
  local text = ("%%.%de"):format(digits - 1):format(value)
  local exponent = math.tointeger(tonumber(text:match("e(.+)$"))) - digits + 1
  local mantissa = math.tointeger(tonumber((text:match("^(.-)e"):gsub("%.", ""))))
  for _, step in ipairs { 0, 1, -1 } do
    local near = ("%de%d"):format(mantissa + step, exponent)
    if tonumber(near) + 0.0 == value then return ("%d"):format(mantissa + step), exponent end
  end
end

-- The shortest digits that read back as the double, and the exponent of the last one.
local function shortest(value)
  for digits = 1, 17 do
    local text, exponent = decimal(value, digits)
    if text then
      local zeros = #text:match("0*$")
      return text:sub(1, #text - zeros), exponent + zeros
    end
  end
end

-- As Python's repr: plain from 1e-4 up to below 1e16.
local function float_text(value)
  if value == 0 then return 1 / value < 0 and "-0.0" or "0.0" end
  local sign = value < 0 and "-" or ""
  local digits, exponent = shortest(math.abs(value))
  local point = #digits + exponent -- digits before the point
  if point > 16 or point < -3 then
    local tail = #digits > 1 and "." .. digits:sub(2) or ""
    return ("%s%s%se%s%02d"):format(sign, digits:sub(1, 1), tail, point > 0 and "+" or "-",
      math.abs(point - 1))
  end
  if point <= 0 then return sign .. "0." .. ("0"):rep(-point) .. digits end
  if exponent >= 0 then return sign .. digits .. ("0"):rep(exponent) .. ".0" end
  return sign .. digits:sub(1, point) .. "." .. digits:sub(point + 1)
end

local function number_text(value)
  return math.type(value) == "integer" and tostring(value) or float_text(value)
end

local short = { [8] = "\\b", [9] = "\\t", [10] = "\\n", [12] = "\\f", [13] = "\\r", [34] = '\\"',
  [92] = "\\\\" }

local function string_text(text)
  local parts = { '"' }
  for _, code in utf8.codes(text) do
    local unit = code >= 0x10000 and code - 0x10000
    parts[#parts + 1] = short[code]
      or unit and ("\\u%04x\\u%04x"):format(0xD800 + unit // 1024, 0xDC00 + unit % 1024)
      or (code < 32 or code > 126) and ("\\u%04x"):format(code)
      or string.char(code)
  end
  return table.concat(parts) .. '"'
end

local slow

local function members(value)
  local keys, parts = {}, {}
  for key in pairs(value) do keys[#keys + 1] = key end
  table.sort(keys)
  for i, key in ipairs(keys) do parts[i] = string_text(key) .. ":" .. slow(value[key]) end
  return "{" .. table.concat(parts, ",") .. "}"
end

function slow(value)
  if value == reader.null then return "null" end
  if type(value) == "boolean" then return tostring(value) end
  if type(value) == "number" then return number_text(value) end
  if type(value) == "string" then return string_text(value) end
  if getmetatable(value) ~= reader.array_mark then return members(value) end
  local parts = {}
  for i = 1, #value do parts[i] = slow(value[i]) end
  return "[" .. table.concat(parts, ",") .. "]"
end

return function(bytes)
  local double = ("<d"):unpack(bytes .. ("\0"):rep(8))
  if double - double == 0 then
    local text = number.text(double)
    assert(text == float_text(double), text .. " is not " .. float_text(double))
  end
  local value, message, code = reader.decode(bytes:sub(9))
  if value == nil then return outcome.refused(message, code) end
  local text = assert(canonical.encode(value))
  assert(text == slow(value), text .. " is not " .. slow(value))
  return "read"
end
