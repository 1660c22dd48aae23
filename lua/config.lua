-- The user's own defaults, `<configuration>/config.lua`: a Lua file that returns a table.
--
--   return {
--     coordinator = "https://coordinator.example.org", wallet = "miner", hotkey = "first",
--     publish = { s3 = { bucket = "sn94", endpoint = "https://s3.example.org" } },
--     aliases = { try = "compress --budget ternary --dry-run" },
--     profiles = { rehearsal = { coordinator = "http://127.0.0.1:8094", hotkey = "test" } },
--   }
--
-- A value stands in for an environment variable that is not set, so that the order is: the command
-- line, the environment, the profile of config.lua that is named, the rest of it, what is built in.
local fs = require "core.fs"
local sys = require "core.sys"

local check = require "bittern.check"
local paths = require "bittern.paths"
local search = require "bittern.script.search"

local M = {}

local SIZE_MAX <const> = 1 << 20

local variables <const> = {
  coordinator = "BITSOTA_COORDINATOR_URL", cacert = "BITTERN_CACERT", settle = "BITTERN_SETTLE",
  pool = "BITTERN_POOL", kernels = "BITTERN_ISA", wallet = "BT_WALLET_NAME",
  hotkey = "BT_WALLET_HOTKEY", wallet_path = "BT_WALLET_PATH", hub = "HF_ENDPOINT",
}

local schema <const> = {
  publish = { type = "table", optional = true }, aliases = { type = "table", optional = true },
  profiles = { type = "table", optional = true },
}
for name in pairs(variables) do schema[name] = { type = "any", optional = true } end

-- What was read: variables that config.lua stands in for, and words by alias.
local stands_in, aliases = {}, {}

--- Where it lies.
-- @return absolute path
function M.path()
  return paths.config() .. "/config.lua"
end

-- A default for one variable: numbers and booleans as they would be typed.
local function stand_in(name, variable, value)
  local kind = type(value)
  if kind ~= "string" and kind ~= "number" and kind ~= "boolean" then
    return nil, ("'%s' must be a string, a number or a boolean, not a %s"):format(name, kind)
  end
  if (os.getenv(variable) or "") == "" then
    sys.set(variable, tostring(value))
    stands_in[variable] = true
  end
  return true
end

-- publish.s3.bucket is BITTERN_S3_BUCKET.
local function apply_publishers(publishers)
  local publishing = next(publishers) and require "bittern.publishing"
  for publisher, values in pairs(publishers) do
    if type(values) ~= "table" then
      return nil, ("'publish.%s' must be a table"):format(publisher)
    end
    for name, value in pairs(values) do
      local ok, message = stand_in(("publish.%s.%s"):format(publisher, name),
        publishing.variable(publisher, name), value)
      if not ok then return nil, message end
    end
  end
  return true
end

local apply

local function apply_profile(profiles, name)
  local values = profiles[name]
  if type(values) == "table" and not values.profiles then
    local ok, message = apply(values)
    return ok, message and ("profile '%s': %s"):format(name, message)
  end
  return nil, ("no profile '%s'%s"):format(name, check.hint(name, check.sorted_keys(profiles)))
end

-- A text is cut at blanks; an array of words is for words that hold some.
local function apply_aliases(list)
  for name, value in pairs(list) do
    local words = value
    if type(value) == "string" then
      words = {}
      for word in value:gmatch "%S+" do words[#words + 1] = word end
    end
    if type(name) ~= "string" or not name:find "^%w[%w_-]*$" then
      return nil, ("alias '%s': a name has letters, digits, - and _"):format(tostring(name))
    end
    if type(words) ~= "table" or type(words[1]) ~= "string" then
      return nil, ("alias '%s' must be a command's words"):format(name)
    end
    aliases[name] = words
  end
  return true
end

-- A profile's values come first, and so before the others'.
function apply(values, profile)
  local ok, message = check.table(values, schema)
  if not ok then return nil, message end
  if profile then
    ok, message = apply_profile(values.profiles or {}, profile)
    if not ok then return nil, message end
  end
  for name, variable in pairs(variables) do
    if values[name] ~= nil then
      ok, message = stand_in(name, variable, values[name])
      if not ok then return nil, message end
    end
  end
  ok, message = apply_publishers(values.publish or {})
  if not ok then return nil, message end
  return apply_aliases(values.aliases or {})
end

--- Reads the file, when there is one.
-- @param profile name of a profile, or nil
-- @return true, or nil, message, "config"
function M.read(profile)
  local path = M.path()
  local text, message, code = fs.read(path, SIZE_MAX)
  if code == "not_found" and not profile then return true end
  if not text then return nil, message, profile and "config" or code end
  local chunk, values, ok
  chunk, message = load(text, "@" .. path, "t", {})
  if not chunk then return nil, message, "config" end
  ok, values = pcall(chunk)
  if not ok then return nil, tostring(values), "config" end
  if type(values) ~= "table" then return nil, path .. ": must return a table", "config" end
  ok, message = apply(values, profile)
  if not ok then return nil, ("%s: %s"):format(path, message), "config" end
  return true
end

--- Whether config.lua gave the value of a variable.
function M.gives(variable)
  return stands_in[variable] == true
end

--- The user's aliases.
-- @return table name -> array of words
function M.aliases()
  return aliases
end

--- Puts an alias's words in its place; a command of that name comes first.
-- @param argv array of words
-- @param at index of the word that names the command, or nil
-- @return argv, or a new array
function M.expand(argv, at)
  local words = at and aliases[argv[at]]
  if not words or search.locate("cmd", argv[at]) then return argv end
  local own = table.move(words, 1, #words, at, { table.unpack(argv, 1, at - 1) })
  return table.move(argv, at + 1, #argv, #own + 1, own)
end

return M
