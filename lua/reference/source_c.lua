-- The functions of a core module, from its registration tables and the comments above them.
local fs = require "core.fs"
local lfs = require "lfs"

local paths = require "bittern.paths"
local signature = require "bittern.reference.signature"
local types = require "bittern.reference.types"

local M = {}

local function folder()
  return paths.root() .. "/core"
end

-- Texts of core/NAME.c and the core/NAME_*.c beside it, in order.
local function sources(name)
  local files, list = {}, {}
  for file in lfs.dir(folder()) do
    if file == name .. ".c" or file:find("^" .. name .. "_.*%.c$") then files[#files + 1] = file end
  end
  table.sort(files)
  for i, file in ipairs(files) do
    list[i] = { file = file, text = assert(fs.read(folder() .. "/" .. file)) }
  end
  return list
end

--- The core modules.
-- @return sorted array of names: "archive", ...
function M.names()
  local list = {}
  for file in lfs.dir(folder()) do
    local name = file:match("^([%w_]+)%.c$")
    local text = name and fs.read(folder() .. "/" .. file)
    if text and text:find("int luaopen_core_" .. name .. "(lua_State *L) {", 1, true) then
      list[#list + 1] = name
    end
  end
  table.sort(list)
  return list
end

local function joined(comment)
  return (comment:gsub("^/%*%s*", ""):gsub("%s*%*/$", ""):gsub("\n ?%*", " "):gsub("%s+", " "))
end

-- The comment that ends right above `int NAME(lua_State`, and the function's text.
local function above(list, symbol)
  for _, source in ipairs(list) do
    local text = source.text
    local at = text:find("\nstatic int " .. symbol .. "(lua_State *L) {", 1, true)
      or text:find("\nint " .. symbol .. "(lua_State *L) {", 1, true)
    if at then
      local body = text:sub(at, (text:find("\n}", at, true)))
      if text:sub(at - 2, at - 1) ~= "*/" then return nil, body end
      local from = at
      repeat from = from - 1 until text:sub(from, from + 1) == "/*"
      return joined(text:sub(from, at - 1)), body
    end
  end
  return nil, nil
end

-- Pairs of Lua name and C symbol of a registration table.
local function pairs_of(body)
  local list = {}
  for entry in body:gmatch("BIND%([%w_]+%)") do
    local name = entry:match("%(([%w_]+)%)")
    list[#list + 1] = { name = name, symbol = "f_" .. name, at = body:find(entry, 1, true) }
  end
  for name, symbol in body:gmatch('{%s*"([%w_]+)",%s*([%w_]+)%s*}') do
    list[#list + 1] = { name = name, symbol = symbol, at = body:find('"' .. name .. '"', 1, true) }
  end
  table.sort(list, function(a, b) return a.at < b.at end)
  return list
end

-- {class = word or nil for the module's own, entries} of each table that has entries.
local function tables(list)
  local found = {}
  for _, source in ipairs(list) do
    for array, body in source.text:gmatch("luaL_Reg ([%w_]+)%[%] =%s*(%b{})") do
      local entries = pairs_of(body)
      if #entries > 0 then
        found[#found + 1] = { class = array:match("^(.*)_methods$"), entries = entries }
      end
    end
  end
  return found
end

local function classes_of(name, registered)
  local classes = { buffer = types.BUFFER, map = "core.map.map", slice = "core.map.slice",
    secret = "core.keybox.secret" }
  for _, group in ipairs(registered) do
    if group.class then classes[group.class] = ("core.%s.%s"):format(name, group.class) end
  end
  return classes
end

local function describe(list, group, entry, classes)
  local comment, body = above(list, entry.symbol)
  local item = { name = entry.name, class = group.class, symbol = entry.symbol,
    can_fail = body ~= nil and body:find("bind_fail%(") ~= nil }
  if not comment then
    item.problem = "has no comment"
    return item
  end
  local read, problem = signature.read(comment, classes)
  if read and read.name ~= entry.name then read, problem = nil, "is called " .. read.name end
  if read and not read.class ~= not group.class then
    read, problem = nil, "says not of what class it is"
  end
  if not read then
    item.problem = problem
    return item
  end
  for key, value in pairs(read) do item[key] = item[key] or value end
  item.call = group.class and item.call:gsub("^%w+:", group.class .. ":") or item.call
  return item
end

--- Reads a core module.
-- @param name such as "sha256"
-- @return {name = "core.sha256", file=, about=, classes = {word = type}, functions = array of what
--   signature.read gives, with `symbol`, and `problem` where a comment is wrong or missing}
function M.read(name)
  local list = sources(name)
  local main = {}
  for _, source in ipairs(list) do
    if source.file == name .. ".c" then main = source end
  end
  local registered = tables(list)
  local classes = classes_of(name, registered)
  local about = joined(main.text:match("^/%*.-%*/") or "")
  local module = { name = "core." .. name, file = "core/" .. name .. ".c", functions = {},
    about = about:gsub("^core%.[%w_]+: ", ""), classes = classes }
  table.sort(registered, function(a, b) return (a.class or "") < (b.class or "") end)
  for _, group in ipairs(registered) do
    for _, entry in ipairs(group.entries) do
      module.functions[#module.functions + 1] = describe(list, group, entry, classes)
    end
  end
  return module
end

return M
