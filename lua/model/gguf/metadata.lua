-- The metadata of a GGUF file: keys with typed values. Long arrays, such as a tokenizer's words,
-- stay in the file; only where they lie is noted.
local cursors = require "bittern.model.gguf.cursor"
local values = require "bittern.model.gguf.values"

local M = {}

local fail = cursors.fail

-- Bounds that no real file comes near, and that keep a hostile one from taking memory or time.
local MOST_KEYS <const> = 1 << 16
local LONGEST_KEY <const> = values.LONGEST_KEY
local MOST_TEXT <const> = 64 << 20    -- of all keys and texts together; arrays stay in the file
local MOST_ELEMENTS <const> = 1 << 30
local MOST_WALKED <const> = 1 << 24   -- of arrays whose elements must be looked at one by one
local SMALLEST_ENTRY <const> = 8 + 1 + 4 + 1
local ALIGNMENT <const>, LARGEST_ALIGNMENT <const> = 32, 1 << 20
local STEP <const> = 1 << 20

local ARRAY <const>, STRING <const>, BOOL <const> = values.ARRAY, values.STRING, values.BOOL
local kinds, ids, present = values.kinds, values.ids, values.present

local Array = {}
Array.__index = Array
Array.__name = "gguf array"

--- Elements of an array, read from the file.
-- @param most how many from the first on; all by default
-- @return array of numbers, booleans or strings
function Array:values(most)
  local list, cursor = {}, cursors.new(self.source)
  local kind, id = kinds[ids[self.element]], ids[self.element]
  cursor.at = self.at
  for i = 1, math.min(most or self.count, self.count) do
    list[i] = id == STRING and cursor:text(MOST_TEXT, "an element")
      or present(id, cursor:unpack(kind.format, kind.size, "an element"))
  end
  return list
end

local function check_bools(cursor, count, key)
  for first = 0, count - 1, STEP do
    local bytes = cursor.source:read(cursor.at + first, math.min(STEP, count - first))
    if bytes:find("[^\0\1]") then
      fail("model_metadata", "key '%s': a truth value is neither 0 nor 1", key)
    end
  end
end

-- Looks at each element; the cursor ends behind the last.
local function walk(cursor, id, count, key)
  if count > MOST_WALKED then
    fail("model_limit", "key '%s': an array of %d elements, more than %d", key, count, MOST_WALKED)
  end
  if id == BOOL then
    check_bools(cursor, count, key)
    cursor.at = cursor.at + count
    return
  end
  cursor:skip_texts(count, "an element")
end

local function read_array(cursor, key)
  local id = cursor:unpack("<i4", 4, "an array's type")
  local count = cursor:unpack("<i8", 8, "an array's length")
  local kind = kinds[id]
  if id == ARRAY then fail("model_metadata", "key '%s': an array of arrays", key) end
  if not kind then
    fail("model_metadata", "key '%s': an array of unknown value type %d", key, id)
  end
  local smallest = kind.size or 8
  if count < 0 or count > cursor:left() // smallest then
    fail("model_truncated", "key '%s': an array of %s %ss, %d bytes are left", key,
      count < 0 and "2^63 or more" or ("%d"):format(count), kind.name, cursor:left())
  end
  if count > MOST_ELEMENTS then
    fail("model_limit", "key '%s': an array of %d elements, more than %d", key, count,
      MOST_ELEMENTS)
  end
  local array = { element = kind.name, count = count, source = cursor.source, at = cursor.at }
  if id == STRING or id == BOOL then
    walk(cursor, id, count, key)
  else
    cursor:skip(count * kind.size, "an array")
  end
  return setmetatable(array, Array)
end

local function read_value(cursor, id, key, budget)
  if id == ARRAY then return read_array(cursor, key) end
  local kind = kinds[id]
  if not kind then fail("model_metadata", "key '%s': unknown value type %d", key, id) end
  if id == STRING then
    local text = cursor:text(budget.left, ("key '%s': a text"):format(key))
    budget.left = budget.left - #text
    return text
  end
  local value = cursor:unpack(kind.format, kind.size, ("key '%s': a value"):format(key))
  if id == BOOL and value > 1 then
    fail("model_metadata", "key '%s': a truth value is neither 0 nor 1", key)
  end
  return present(id, value)
end

local function read_key(cursor, seen, budget)
  local key = cursor:text(math.min(LONGEST_KEY, budget.left), "a key")
  budget.left = budget.left - #key
  if key == "" then fail("model_metadata", "an empty key at byte %d", cursor.at) end
  if not cursors.is_plain(key) then
    fail("model_metadata", "a key at byte %d is no plain text", cursor.at - #key)
  end
  if seen[key] ~= nil then fail("model_metadata", "key '%s' is there twice", key) end
  if key:find("^prism%.hadamard%.") then
    fail("gguf_rotated", "'%s': its weights are in a rotated (Walsh-Hadamard) basis, which is "
      .. "not supported", key)
  end
  return key
end

--- Reads the keys and values.
-- @param cursor behind the file's counts
-- @param count of entries, as the file says
-- @return array of {key, type, value} in the file's order, {key = value}. A value is a number, a
--   string, a boolean, or an array {element, count, values(most)}; a u64 of 2^63 or more comes as
--   its digits.
function M.read(cursor, count)
  if count < 0 or count > MOST_KEYS then
    fail("model_limit", "%s metadata entries, more than %d",
      count < 0 and "2^63 or more" or ("%d"):format(count), MOST_KEYS)
  end
  if count > cursor:left() // SMALLEST_ENTRY then
    fail("model_truncated", "truncated: %d metadata entries, %d bytes are left", count,
      cursor:left())
  end
  local entries, by_key, budget = {}, {}, { left = MOST_TEXT }
  for i = 1, count do
    local key = read_key(cursor, by_key, budget)
    local id = cursor:unpack("<i4", 4, ("key '%s': a value type"):format(key))
    local value = read_value(cursor, id, key, budget)
    entries[i] = { key = key, type = kinds[id].name, value = value }
    by_key[key] = value
  end
  return entries, by_key
end

--- What the tensors' places are multiples of.
-- @param entries as M.read gives them
function M.alignment(entries)
  for _, entry in ipairs(entries) do
    if entry.key == "general.alignment" then
      local value = entry.value
      if entry.type ~= "u32" then
        fail("gguf_alignment", "general.alignment is %s, not u32", entry.type)
      end
      if value == 0 or value & value - 1 ~= 0 or value > LARGEST_ALIGNMENT then
        fail("gguf_alignment", "general.alignment %d is no power of two up to %d", value,
          LARGEST_ALIGNMENT)
      end
      return value
    end
  end
  return ALIGNMENT
end

--- Whether a metadata value is an array.
function M.is_array(value)
  return getmetatable(value) == Array
end

return M
