-- The types of GGUF's metadata values, and how values become bytes. A u64 of 2^63 or more, which
-- Lua's integers do not hold, is its digits.
local M = {}

M.LONGEST_KEY = (1 << 16) - 1
M.ARRAY, M.STRING, M.BOOL = 9, 8, 7

local U64 <const> = 10

local kinds = {
  [0] = { name = "u8", format = "<B", size = 1 }, { name = "i8", format = "<b", size = 1 },
  { name = "u16", format = "<I2", size = 2 }, { name = "i16", format = "<i2", size = 2 },
  { name = "u32", format = "<I4", size = 4 }, { name = "i32", format = "<i4", size = 4 },
  { name = "f32", format = "<f", size = 4 }, { name = "bool", format = "<B", size = 1 },
  { name = "string", format = "<s8" }, { name = "array" },
  { name = "u64", format = "<i8", size = 8 }, { name = "i64", format = "<i8", size = 8 },
  { name = "f64", format = "<d", size = 8 },
}

local ids = {}
for id, kind in pairs(kinds) do ids[kind.name] = id end

-- A u64 that Lua's integers do not hold, as its digits.
local function big(value)
  local tens = (value >> 1) // 5
  return ("%d%d"):format(tens, value - tens * 10)
end

M.kinds, M.ids = kinds, ids

--- What a script sees of a raw value.
function M.present(id, value)
  if id == M.BOOL then return value ~= 0 end
  if id == U64 and value < 0 then return big(value) end
  return value
end

local ranges = {
  u8 = { 0, 0xFF }, i8 = { -0x80, 0x7F }, u16 = { 0, 0xFFFF }, i16 = { -0x8000, 0x7FFF },
  u32 = { 0, 0xFFFFFFFF }, i32 = { -0x80000000, 0x7FFFFFFF },
  u64 = { 0, math.maxinteger }, i64 = { math.mininteger, math.maxinteger },
}

-- The integer of a u64's digits: the other way of `big`.
local function small(digits)
  local value = 0
  for digit in digits:gmatch("%d") do value = value * 10 + math.tointeger(digit) end
  return value
end

-- The bytes of one value; raises for one that the type cannot hold.
local function pack(name, value, key)
  local range = ranges[name]
  if name == "u64" and type(value) == "string" and big(small(value)) == value then
    return string.pack("<i8", small(value))
  end
  local good
  if range then
    good = math.type(value) == "integer" and value >= range[1] and value <= range[2]
  elseif name == "bool" then
    good, value = type(value) == "boolean", value and 1 or 0
  elseif name == "string" then
    good = type(value) == "string"
  else
    good = type(value) == "number"
  end
  if not good then error(("key '%s': not a %s: %s"):format(key, name, tostring(value)), 0) end
  return string.pack(kinds[ids[name]].format, value)
end

local function pack_array(entry)
  local parts = { string.pack("<i4i8", ids[entry.element], #entry.value) }
  for i, value in ipairs(entry.value) do parts[i + 1] = pack(entry.element, value, entry.key) end
  return table.concat(parts)
end

--- The bytes of metadata to be written.
-- @param entries array of {key, type, value}; of an array also `element`, its elements' type
-- @return string
function M.write(entries)
  local parts, seen = {}, {}
  for i, entry in ipairs(entries) do
    local key, id = entry.key, ids[entry.type]
    if key == "" or #key > M.LONGEST_KEY or seen[key] then
      error(("key '%s' is empty, too long or there twice"):format(key), 0)
    end
    if not id or id == M.ARRAY and (not ids[entry.element] or entry.element == "array") then
      error(("key '%s' has no known type"):format(key), 0)
    end
    seen[key] = true
    parts[i] = string.pack("<s8i4", key, id)
      .. (id == M.ARRAY and pack_array(entry) or pack(entry.type, entry.value, key))
  end
  return table.concat(parts)
end

return M
