-- Canonical JSON, both ways: the exact text that Python's json.dumps(sort_keys=True,
-- separators=(",", ":")) writes, which is what signatures cover (contract.md 2.2).
local number = require "core.number"

local reader = require "bittern.json_reader"

local M = {}

--- JSON's null.
M.null = reader.null

local DEPTH <const> = reader.DEPTH

--- Marks a table as an array, so that an empty one is `[]` and not `{}`.
-- @param list table of consecutive values
-- @return the same table
function M.array(list)
  return setmetatable(list, reader.array_mark)
end

--- Whether a table is written as an array.
-- @param t table
function M.is_array(t)
  return getmetatable(t) == reader.array_mark or #t > 0
end

local short = {
  ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r",
  ["\t"] = "\\t",
}

local function escape_ascii(c)
  return short[c] or ("\\u%04x"):format(c:byte())
end

local function escape_wide(c)
  local code = utf8.codepoint(c)
  if code < 0x10000 then return ("\\u%04x"):format(code) end
  code = code - 0x10000
  return ("\\u%04x\\u%04x"):format(0xD800 + (code >> 10), 0xDC00 + (code & 0x3FF))
end

local function string_text(text)
  if not utf8.len(text) then error({ "a string is not valid UTF-8" }, 0) end
  text = text:gsub('[%c"\\]', escape_ascii):gsub("[\xC2-\xF4][\x80-\xBF]+", escape_wide)
  return '"' .. text .. '"'
end

local function number_text(value)
  if math.type(value) == "integer" then return ("%d"):format(value) end
  if value ~= value or value == math.huge or value == -math.huge then
    error({ "a number is not finite" }, 0)
  end
  return number.text(value)
end

local write

local function array_text(list, depth)
  local parts, members = {}, 0
  for _ in pairs(list) do members = members + 1 end
  if members ~= #list then error({ "an array has gaps or other keys than 1, 2, 3" }, 0) end
  for i = 1, #list do parts[i] = write(list[i], depth) end
  return "[" .. table.concat(parts, ",") .. "]"
end

local function object_text(t, depth)
  local keys, parts = {}, {}
  for key in pairs(t) do
    if type(key) ~= "string" then error({ "an object's key is a " .. type(key) }, 0) end
    keys[#keys + 1] = key
  end
  table.sort(keys)
  for i, key in ipairs(keys) do parts[i] = string_text(key) .. ":" .. write(t[key], depth) end
  return "{" .. table.concat(parts, ",") .. "}"
end

local writers = {
  string = string_text, number = number_text, boolean = tostring,
  table = function(t, depth)
    if depth > DEPTH then error({ "nested deeper than " .. DEPTH }, 0) end
    return M.is_array(t) and array_text(t, depth + 1) or object_text(t, depth + 1)
  end,
}

function write(value, depth)
  if value == reader.null then return "null" end
  local writer = writers[type(value)]
  if not writer then error({ "a " .. type(value) .. " has no JSON form" }, 0) end
  return writer(value, depth)
end

--- The canonical text of a value.
-- @param value string, number, boolean, null, array or object; integers and floats stay apart
-- @return text, or nil, message, "invalid_json"
function M.encode(value)
  local ok, text = pcall(write, value, 0)
  if ok then return text end
  if type(text) ~= "table" then error(text, 0) end
  return nil, text[1], "invalid_json"
end

--- The value of a JSON text, exactly: integers and floats stay apart, null is M.null, arrays are
-- marked, so that encoding gives the canonical form of what was read.
-- @param text string
-- @return value, or nil, message that begins with line:column, "invalid_json" or "too_large"
function M.decode(text)
  return reader.decode(text)
end

return M
