-- What Tab gives: fields of the table that stands before the last dot, globals, Lua's words; names
-- of modules inside of quotes.
local sys = require "core.sys"

local check = require "bittern.check"
local help = require "bittern.reference.help"

local M = {}

local words <const> = { "and", "break", "do", "else", "elseif", "end", "false", "for", "function",
  "goto", "if", "in", "local", "nil", "not", "or", "repeat", "return", "then", "true", "until",
  "while" }

-- Every string that can follow a value and a dot (or a colon, then only functions), itself and
-- through __index.
local function fields_of(value)
  local names, seen = {}, 0
  while value ~= nil and seen < 10 do
    local meta = debug.getmetatable(value)
    if type(value) == "table" then
      for key in next, value do
        if type(key) == "string" then names[key] = true end
      end
    end
    if type(meta) ~= "table" then break end
    for key in pairs(meta.names and meta.names() or {}) do names[key] = true end
    value, seen = type(meta.__index) == "table" and meta.__index or nil, seen + 1
  end
  return names
end

-- The value of `a.b.c`, without calling anything but the __index of tables of modules.
local function value_of(path, env)
  local value = env
  for name in path:gmatch("[%w_]+") do
    local kind = type(value)
    if kind ~= "table" and kind ~= "userdata" then return nil end
    local meta = debug.getmetatable(value)
    local index = type(meta) == "table" and meta.__index
    local found = kind == "table" and rawget(value, name)
    if found == nil or found == false then
      if type(index) == "table" then found = index[name]
      elseif type(index) == "function" and (meta.names or value == env) then
        found = index(value, name)
      end
    end
    value = found
  end
  return value
end

local function beginning(names, start)
  local list = {}
  for _, name in ipairs(check.sorted_keys(names)) do
    if name:sub(1, #start) == start and name:find("^[%w_.]+$") then list[#list + 1] = name end
  end
  return list
end

local function globals(env)
  local names = fields_of(env)
  for _, word in ipairs(words) do names[word] = true end
  return names
end

--- What may stand at the end of a text.
-- @param text of a line up to the cursor
-- @param env the prompt's globals
-- @return sorted array of words, and the part of the last one that stands there already
function M.candidates(text, env)
  local quoted = text:match("[\"']([%w_.]*)$")
  if quoted then
    local names = {}
    for _, name in ipairs(help.modules()) do names[name] = true end
    return beginning(names, quoted), quoted
  end
  local path, start = text:match("([%a_][%w_.]*)[.:]([%w_]*)$")
  if path then return beginning(fields_of(value_of(path, env)), start), start end
  start = text:match("[%a_][%w_]*$") or ""
  return beginning(globals(env), start), start
end

local function common(list)
  local text = list[1] or ""
  for _, word in ipairs(list) do
    while word:sub(1, #text) ~= text do text = text:sub(1, -2) end
  end
  return text
end

-- Words side by side, as many columns as the terminal has room for.
local function in_columns(list)
  local widest = 0
  for _, word in ipairs(list) do widest = math.max(widest, #word + 2) end
  local each, lines = math.max(1, (sys.columns(2) - 1) // widest), {}
  for from = 1, #list, each do
    local row = {}
    for i = from, math.min(from + each - 1, #list) do
      row[#row + 1] = ("%-" .. widest .. "s"):format(list[i])
    end
    lines[#lines + 1] = (table.concat(row):gsub("%s+$", ""))
  end
  return table.concat(lines, "\n")
end

--- The function that core.prompt calls for Tab.
-- @param env the prompt's globals
-- @return function(text) -> what to insert or nil, what to show or nil
function M.of(env)
  return function(text)
    local list, start = M.candidates(text, env)
    if #list == 0 then return nil end
    local insert = common(list):sub(#start + 1)
    if #list == 1 or insert ~= "" then return insert end
    return nil, in_columns(list)
  end
end

return M
