-- What a recipe may use: what computes, and gives the same on every run. No files, no clock, no
-- environment, no addresses, and tables in the order of their keys.
local ranks <const> = { number = 1, string = 2, boolean = 3 }

local function before(a, b)
  local x, y = ranks[type(a)], ranks[type(b)]
  if x ~= y then return x < y end
  if x == 3 then return b and not a end
  return a < b
end

-- Raises in the name of the function that a script called.
local function keys_of(t, name)
  if type(t) ~= "table" then
    error(("bad argument #1 to '%s' (table expected, got %s)"):format(name, type(t)), 3)
  end
  local keys = {}
  for key in next, t do
    if not ranks[type(key)] then error(name .. ": a key is a " .. type(key), 3) end
    keys[#keys + 1] = key
  end
  table.sort(keys, before)
  return keys
end

local function ordered_pairs(t)
  local own = (debug.getmetatable(t) or {}).__pairs
  if own then return own(t) end
  local keys, at = keys_of(t, "pairs"), 0
  return function()
    repeat at = at + 1 until keys[at] == nil or rawget(t, keys[at]) ~= nil
    return keys[at], rawget(t, keys[at])
  end, t, nil
end

local function ordered_next(t, key)
  for _, candidate in ipairs(keys_of(t, "next")) do
    if key == nil or before(key, candidate) then return candidate, rawget(t, candidate) end
  end
  return nil
end

local function plain_tostring(value)
  local kind = type(value)
  local plain = ranks[kind] or kind == "nil"
  return plain and tostring(value) or kind
end

--- A fresh set of globals.
-- @return table
return function()
  local env = {
    assert = assert, error = error, ipairs = ipairs, next = ordered_next, pairs = ordered_pairs,
    pcall = pcall, select = select, tonumber = tonumber, tostring = plain_tostring, type = type,
    xpcall = xpcall,
  }
  for _, name in ipairs { "math", "string", "table", "utf8" } do
    env[name] = {}
    for key, value in pairs(_G[name]) do env[name][key] = value end
  end
  env.string.dump, env.math.random, env.math.randomseed = nil, nil, nil
  return env
end
