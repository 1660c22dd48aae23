-- The one loader of user-facing scripts: finds them, checks them, names file, line and field.
local fs = require "core.fs"
local limit = require "core.limit"
local sha256 = require "core.sha256"

local check = require "bittern.check"
local json = require "bittern.json"
local paths = require "bittern.paths"
local strict = require "bittern.strict"

local M = {}

local API <const> = 1
local LOAD_SECONDS <const> = 2

-- Where a kind's scripts lie below the installed tree and below the user's folders,
-- and which fields they have besides api, about and args. `word` is what people call the kind.
local kinds = {
  recipe = {
    installed = "recipes", folder = "recipes", sandbox = true,
    fields = { tensor = { type = "function" } },
  },
  mode = {
    named_only = true, -- the coordinator says which mode: never let it choose a file
    installed = "lua/modes", folder = "modes",
    fields = {
      fields = { type = "table" }, rules = { type = "table" }, accept = { type = "function" },
      candidates = { type = "function", optional = true },
      reward = { type = "function", optional = true }, peers = { type = "table", optional = true },
    },
  },
  publish = {
    word = "publisher", installed = "lua/publish", folder = "publish",
    fields = { publish = { type = "function" } },
  },
  workflow = {
    installed = "lua/workflows", folder = "workflows",
    fields = { steps = { type = "table" } },
  },
  cmd = {
    word = "command", installed = "lua/cmd", folder = "cmd",
    fields = {
      args = { type = "function", optional = true }, run = { type = "function" },
      group = { type = "string" },
    },
  },
}

-- What a recipe may use: nothing that reads files, the clock or the environment.
local function sandbox()
  local env = {
    assert = assert, error = error, ipairs = ipairs, next = next, pairs = pairs, pcall = pcall,
    select = select, tonumber = tonumber, tostring = tostring, type = type, xpcall = xpcall,
  }
  for _, name in ipairs { "math", "string", "table", "utf8" } do
    env[name] = {}
    for key, value in pairs(_G[name]) do env[name][key] = value end
  end
  env.string.dump, env.math.random, env.math.randomseed = nil, nil, nil
  return env
end

-- The chunk of a file; a first line that starts with # is a shebang and keeps its number.
local function compile(path, env)
  local text, message, code = fs.read(path, 1 << 20)
  if not text then return nil, message, code end
  if text:sub(1, 1) == "#" then text = "--" .. text end
  local chunk, reason = load(text, "@" .. path, "t", env)
  if not chunk then return nil, reason, "script" end
  return chunk
end

local function schema_of(kind)
  local schema = {
    api = { type = "integer" }, about = { type = "string" },
    args = { type = "table", optional = true },
  }
  for key, field in pairs(kinds[kind].fields) do schema[key] = field end
  return schema
end

-- The line that a key is written on: a message without one sends people searching.
local function line_of(path, key)
  local number = 0
  for line in (fs.read(path) or ""):gmatch("([^\n]*)\n?") do
    number = number + 1
    local pattern = key and "%f[%w_]" .. tostring(key):gsub("%W", "%%%0") .. "%s*="
    if key and line:find(pattern) then return number end
  end
  return 1
end

local function complain(path, key, message)
  return nil, ("%s:%d: %s"):format(path, line_of(path, key), message), "script"
end

-- Text of `--set key=value` as the type that the default has.
local converters = {
  string = function(text) return text end,
  number = tonumber,
  boolean = function(text)
    if text == "true" then return true elseif text == "false" then return false end
    return nil
  end,
  table = function(text)
    local list = {}
    for word in text:gmatch("[^,]+") do list[#list + 1] = word end
    return list
  end,
}

-- true, or nil, what is wrong, the argument that is
local function check_arguments(declared)
  for _, name in ipairs(check.sorted_keys(declared)) do
    local spec = declared[name]
    local good = type(spec) == "table" and converters[type(spec[1])] and type(spec[2]) == "string"
      and (spec[3] == nil or type(spec[3]) == "table")
    if not good then
      return nil, ("argument '%s' must be { default, \"what it is\" }, and the words it may be "
        .. "after them"):format(tostring(name)), name
    end
  end
  return true
end

local function validate(path, kind, value)
  if type(value) ~= "table" then
    return complain(path, nil, "must return a table, not " .. type(value))
  end
  if math.type(value.api) == "integer" and value.api ~= API then
    local text = "api = %d is not known here; this bittern has api = %d"
    return complain(path, "api", text:format(value.api, API))
  end
  local ok, message, key = check.table(value, schema_of(kind))
  if ok and kind ~= "cmd" then ok, message, key = check_arguments(value.args or {}) end
  if not ok then return complain(path, key, ("%s: %s"):format(kind, message)) end
  return value
end

-- Scripts of strangers have to end, too.
local function protected(kind, chunk)
  if kind.sandbox then return limit.call({ seconds = LOAD_SECONDS }, chunk) end
  return pcall(chunk)
end

--- Loads one script file.
-- @param path string
-- @param kind "recipe"|"mode"|"publish"|"workflow"|"cmd"
-- @return the script's table, or nil, message with file and line, "script" or "script_limit"
function M.load(path, kind)
  assert(kinds[kind], "unknown kind of script")
  local chunk, message, code = compile(path, strict(kinds[kind].sandbox and sandbox() or _G))
  if not chunk then return nil, message, code end
  local ok, value, limited = protected(kinds[kind], chunk)
  if not ok then return nil, tostring(value), limited or "script" end
  return validate(path, kind, value)
end

-- A line of the table that a script returns: `  name = "text",`.
local function written(text, name)
  return text:match("\n  " .. name .. " = \"([^\"\\\n]*)\",\n")
end

--- What a script says of itself, read from its text where that is plain: a list of many scripts
-- need not run them.
-- @param path string
-- @param kind see M.load
-- @return {about=, group= of commands}, or nil, message, code
function M.glance(path, kind)
  local text, message, code = fs.read(path, 1 << 20)
  if not text then return nil, message, code end
  local seen = { about = written(text, "about"), group = written(text, "group") }
  if seen.about and (seen.group or kind ~= "cmd") then return seen end
  return M.load(path, kind)
end

--- Compiles a free script (for `bittern run`), which sees everything.
-- @return function, or nil, message, code
function M.chunk(path)
  return compile(path, _G)
end

-- SHA-256 of what the user agreed to run, by path.
local function trusted()
  local text = fs.read(paths.state() .. "/trusted.json", 1 << 20)
  return text and json.decode(text) or {}
end

--- Remembers that the user trusts these very bytes of a project script.
-- @param path string
-- @return true, or nil, message, code
function M.trust(path)
  local absolute, message, code = fs.realpath(path)
  if not absolute then return nil, message, code end
  local list = trusted()
  list[absolute], message, code = sha256.file(absolute)
  if not list[absolute] then return nil, message, code end
  local made, why, id = fs.mkdir(paths.state())
  if not made then return nil, why, id end
  return fs.write(paths.state() .. "/trusted.json", json.encode(list), { mode = 0x180 })
end

local function is_trusted(path)
  local absolute = fs.realpath(path)
  return absolute ~= nil and trusted()[absolute] == (sha256.file(absolute))
end

-- Folders of a kind, first wins.
local function places(kind)
  local folder = kinds[kind].folder
  local list = {
    { dir = paths.config() .. "/" .. folder, from = "user" },
    { dir = paths.root() .. "/" .. kinds[kind].installed, from = "installed" },
  }
  local project = fs.realpath(".bittern/" .. folder)
  if project then table.insert(list, 1, { dir = project, from = "project" }) end
  local override = M.override and fs.realpath(M.override .. "/" .. folder)
  if override then table.insert(list, 1, { dir = override, from = "root" }) end
  return list
end

local function names_in(dir)
  local lfs = require "lfs"
  local names = {}
  if lfs.attributes(dir, "mode") ~= "directory" then return names end
  for entry in lfs.dir(dir) do
    local name = entry:match("^([%w_-]+)%.lua$")
    if name then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

--- Every script of a kind, in search order.
-- @param kind see M.load
-- @return array of {name, path, from = "root"|"project"|"user"|"installed",
--   shadowed = boolean, untrusted = boolean}
function M.list(kind)
  local entries, seen = {}, {}
  for _, place in ipairs(places(kind)) do
    for _, name in ipairs(names_in(place.dir)) do
      local path = place.dir .. "/" .. name .. ".lua"
      local untrusted = place.from == "project" and not is_trusted(path)
      entries[#entries + 1] = {
        name = name, path = path, from = place.from, untrusted = untrusted,
        shadowed = seen[name] or false,
      }
      if not untrusted then seen[name] = true end
    end
  end
  return entries
end

local function readable(path)
  local file <close> = io.open(path)
  return file ~= nil
end

-- The first place that has a script of this name; only the project folder asks for trust.
local function locate(kind, name)
  for _, place in ipairs(places(kind)) do
    local path = place.dir .. "/" .. name .. ".lua"
    if readable(path) and (place.from ~= "project" or is_trusted(path)) then return path end
  end
  return nil
end

--- The script of a name, or of a path when it contains a slash (modes: of a name only).
-- @param kind see M.load
-- @param name string
-- @return the script's table and its path, or nil, message, code
function M.find(kind, name)
  local path
  if name:find("/", 1, true) and not kinds[kind].named_only then path = fs.realpath(name)
  elseif not name:find("[^%w_-]") then path = locate(kind, name) end
  if path then
    local value, message, code = M.load(path, kind)
    if not value then return nil, message, code end
    return value, path
  end
  local names = {}
  for _, entry in ipairs(M.list(kind)) do names[#names + 1] = entry.name end
  local near = check.nearest(name, names)
  local hint = near and ("; did you mean '%s'?"):format(near) or ""
  return nil, ("no %s named '%s'%s"):format(M.word(kind), name, hint), "not_found"
end

--- The kinds of scripts, sorted.
function M.kinds()
  return check.sorted_keys(kinds)
end

--- What people call a kind of script: "publisher".
function M.word(kind)
  return kinds[kind].word or kind
end

--- What the command line's `--set` gave.
-- @param list array of "NAME=VALUE", or nil
-- @return {name = text}, or nil, message, "usage"
function M.settings(list)
  local set = {}
  for _, text in ipairs(list or {}) do
    local name, value = text:match("^([%w_]+)=(.*)$")
    if not name then
      return nil, ("--set '%s' is not of the form NAME=VALUE"):format(text), "usage"
    end
    set[name] = value
  end
  return set
end

-- true, or nil and what is wrong with a value of the right type
local function check_choice(name, value, choices)
  for _, choice in ipairs(choices or { value }) do
    if value == choice then return true end
  end
  return nil, ("argument '%s' must be one of %s"):format(name, table.concat(choices, ", "))
end

--- Arguments of a script: its defaults, overridden by what the user set.
-- @param script a loaded script; script.args is {name = {default, "what it is", {words} or nil}}
-- @param set {name = text or value}
-- @return {name = value}, or nil, message, "usage"
function M.arguments(script, set)
  local declared, values = script.args or {}, {}
  for name, spec in pairs(declared) do values[name] = spec[1] end
  for _, name in ipairs(check.sorted_keys(set or {})) do
    if not declared[name] then
      local near = check.nearest(name, check.sorted_keys(declared))
      local hint = near and ("; did you mean '%s'?"):format(near) or ""
      return nil, ("no argument '%s'%s"):format(name, hint), "usage"
    end
    local kind = type(declared[name][1])
    local value = set[name]
    if type(value) == "string" then value = converters[kind](value) end
    if type(value) ~= kind then
      return nil, ("argument '%s' must be a %s"):format(name, kind), "usage"
    end
    local ok, wrong = check_choice(name, value, declared[name][3])
    if not ok then return nil, wrong, "usage" end
    values[name] = value
  end
  return values
end

return M
