-- Checking tables that people wrote: option tables and scripts, with the nearest known key.
local M = {}

-- Levenshtein distance, one row at a time.
local function distance(a, b)
  local row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local diagonal = row[0]
    row[0] = i
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      diagonal, row[j] = row[j], math.min(row[j] + 1, row[j - 1] + 1, diagonal + cost)
    end
  end
  return row[#b]
end

--- The candidate nearest to a word.
-- @param word string
-- @param candidates array of strings
-- @return string, or nil when none is near enough to be a slip of the hand
function M.nearest(word, candidates)
  local best, least = nil, math.max(2, #word // 3) + 1
  for _, candidate in ipairs(candidates) do
    local d = distance(word:lower(), candidate:lower())
    if d < least then best, least = candidate, d end
  end
  return best
end

--- What a word may have been meant to be, at the end of a complaint about it.
-- @param word string
-- @param candidates array of strings
-- @return "; did you mean 'candidate'?", or "" when none is near
function M.hint(word, candidates)
  local near = M.nearest(word, candidates)
  return near and ("; did you mean '%s'?"):format(near) or ""
end

--- Keys of a table in order.
-- @param t table
-- @return array of its keys, ordered as texts
function M.sorted_keys(t)
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  return keys
end

local function unknown(key, schema)
  local hint = type(key) == "string" and M.hint(key, M.sorted_keys(schema)) or ""
  return "unknown key '" .. tostring(key) .. "'" .. hint
end

local function wrong(key, value, field)
  if value == nil then return not field.optional and "key '" .. key .. "' is missing" or nil end
  local kind = math.type(value) == "integer" and "integer" or type(value)
  if field.type == "number" and kind == "integer" or field.type == "any" then return nil end
  if kind == field.type then return nil end
  local article = field.type:find("^[aeiou]") and "an" or "a"
  return ("key '%s' must be %s %s, not %s"):format(key, article, field.type, kind)
end

--- Checks a table against a schema.
-- @param t the table
-- @param schema {key = {type = "string"|"integer"|"number"|"boolean"|"table"|"function"|"any",
--   optional = true}}
-- @return true, or nil, what is wrong, the key that is
function M.table(t, schema)
  if type(t) ~= "table" then return nil, "must be a table, not " .. type(t) end
  for _, key in ipairs(M.sorted_keys(t)) do
    if not schema[key] then return nil, unknown(key, schema), key end
  end
  for _, key in ipairs(M.sorted_keys(schema)) do
    local message = wrong(key, t[key], schema[key])
    if message then return nil, message, key end
  end
  return true
end

--- Checks a function's table of named options; raises in the name of its caller.
-- @param t the options, or nil for none
-- @param schema as M.table, with `default` for what is absent
-- @param what the function's name, for the message
-- @return a new table with defaults filled in
function M.options(t, schema, what)
  local ok, message = M.table(t or {}, schema)
  if not ok then error(what .. ": " .. message, 3) end
  local filled = {}
  for key, field in pairs(schema) do
    local value = (t or {})[key]
    if value == nil then value = field.default end
    filled[key] = value
  end
  return filled
end

--- A converter of the command line's words: whole numbers.
-- @param name of the option, for the message
-- @return function(text) -> integer, or nil, message
function M.whole(name, low, high)
  return function(text)
    local value = text:find("^%d+$") and math.tointeger(tonumber(text))
    if value and value >= low and value <= high then return value end
    return nil, ("%s must be a whole number in %d..%d"):format(name, low, high)
  end
end

--- A converter of the command line's words: seconds, fractions too.
-- @param name of the option, for the message
-- @return function(text) -> number, or nil, message
function M.seconds(name)
  return function(text)
    local value = tonumber(text)
    if value and value >= 0 and value < 1e9 then return value end
    return nil, ("%s must be a number of seconds, not '%s'"):format(name, text)
  end
end

--- A converter of the command line's words: a SHA-256.
-- @param name of the option, for the message
-- @return function(text) -> 64 lower-case digits, or nil, message
function M.sha256(name)
  return function(text)
    if #text == 64 and text:find("^%x+$") then return text:lower() end
    return nil, ("%s must be 64 hexadecimal digits"):format(name)
  end
end

local units <const> = { [""] = 1, k = 1000, m = 1000000, g = 1000000000 }

--- A converter of the command line's words: bytes, with k, M or G for thousands, millions, ...
-- @param name of the option, for the message
-- @return function(text) -> integer, or nil, message
function M.bytes(name)
  return function(text)
    local digits, unit = text:match("^(%d+)([kKmMgG]?)$")
    if digits and #digits <= 9 then return math.tointeger(digits) * units[unit:lower()] end
    return nil, ("%s must be bytes, such as 500k or 20M, not '%s'"):format(name, text)
  end
end

return M
