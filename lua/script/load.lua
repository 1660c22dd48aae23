-- Loads a script file: text only, its globals strict, its table checked; every complaint names
-- file, line and field.
local fs = require "core.fs"
local limit = require "core.limit"

local arguments = require "bittern.script.arguments"
local check = require "bittern.check"
local excerpt = require "bittern.script.excerpt"
local globals = require "bittern.sandbox.globals"
local kinds = require "bittern.script.kinds"
local sandbox = require "bittern.sandbox"
local strict = require "bittern.strict"
local trust = require "bittern.trust"

local M = {}

local API <const> = 1
local MOST_BYTES <const> = 1 << 20
local LOAD_LIMITS <const> = { seconds = 2 }

local function read(path)
  local text, message, code = fs.read(path, MOST_BYTES)
  if not text then return nil, message, code end
  excerpt.remember(path)
  return text
end

-- A first line that starts with # is a shebang and keeps its number.
local function source(text)
  return text:sub(1, 1) == "#" and "--" .. text or text
end

local function compile(path, text, env)
  local chunk, reason = load(source(text), "@" .. path, "t", env)
  if not chunk then return nil, reason, "script" end
  return chunk
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

local function validate(path, kind, value)
  if type(value) ~= "table" then
    return complain(path, nil, "must return a table, not " .. type(value))
  end
  if math.type(value.api) == "integer" and value.api ~= API then
    local text = "api = %d is not known here; this bittern has api = %d"
    return complain(path, "api", text:format(value.api, API))
  end
  local ok, message, key = check.table(value, kinds.schema(kind))
  if ok and kind ~= "cmd" then ok, message, key = arguments.check(value.args or {}) end
  if not ok then return complain(path, key, ("%s: %s"):format(kind, message)) end
  return value
end

-- Recipes compute and no more, and end: within limits where the user trusts them, else in a
-- sandbox.
local function run_recipe(path, text)
  if not trust.is_own(path) and not trust.knows(path, text) then
    return sandbox.load(path, source(text), LOAD_LIMITS)
  end
  local chunk, message, code = compile(path, text, strict(globals()))
  if not chunk then return nil, message, code end
  local ok, value, limited = limit.call(LOAD_LIMITS, chunk)
  if not ok then return nil, tostring(value), limited or "script" end
  return value
end

local function run_script(path, text)
  local chunk, message, code = compile(path, text, strict(_G))
  if not chunk then return nil, message, code end
  local ok, value = pcall(chunk)
  if not ok then return nil, tostring(value), "script" end
  return value
end

--- Loads one script file.
-- @param path string
-- @param kind "recipe"|"mode"|"publish"|"workflow"|"cmd"
-- @param guard function(text) -> true, or nil, message, code when it shall not run; or nil
-- @return the script's table, or nil, message with file and line, "script" or "script_limit"
function M.script(path, kind, guard)
  local run = kinds.of(kind).sandbox and run_recipe or run_script
  local text, message, code = read(path)
  if not text then return nil, message, code end
  local allowed, refused, reason = true, nil, nil
  if guard then allowed, refused, reason = guard(text) end
  if not allowed then return nil, refused, reason end
  local value, why, id = run(path, text)
  if value == nil and why then return nil, why, id end
  return validate(path, kind, value)
end

--- Compiles a free script (for `bittern run`), which sees everything.
-- @param path string
-- @return function, or nil, message, code
function M.chunk(path)
  local text, message, code = read(path)
  if not text then return nil, message, code end
  return compile(path, text, _G)
end

-- A line of the table that a script returns: `  name = "text",`.
local function written(text, name)
  return text:match("\n  " .. name .. " = \"([^\"\\\n]*)\",\n")
end

--- What a script says of itself, read from its text where that is plain: a list of many scripts
-- need not run them.
-- @param path string
-- @param kind see M.script
-- @return {about=, group= of commands}, or nil, message, code
function M.glance(path, kind)
  local text, message, code = fs.read(path, MOST_BYTES)
  if not text then return nil, message, code end
  local seen = { about = written(text, "about"), group = written(text, "group") }
  if seen.about and (seen.group or kind ~= "cmd") then return seen end
  return M.script(path, kind)
end

return M
