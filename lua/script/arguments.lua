-- Arguments of scripts: declared as {default, "what it is", {words} or nil}, set as text.
local check = require "bittern.check"

local M = {}

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

--- Looks at what a script declares.
-- @param declared {name = {default, "what it is", {words} or nil}}
-- @return true, or nil, what is wrong, the argument that is
function M.check(declared)
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

local function no_argument(name, declared)
  local hint = check.hint(name, check.sorted_keys(declared))
  return nil, ("no argument '%s'%s"):format(name, hint), "usage"
end

-- A value as its argument's type wants it; or nil, message, "usage".
local function typed(name, spec, value)
  local kind = type(spec[1])
  if type(value) == "string" then value = converters[kind](value) end
  if type(value) ~= kind then
    return nil, ("argument '%s' must be a %s"):format(name, kind), "usage"
  end
  local ok, wrong = check_choice(name, value, spec[3])
  if not ok then return nil, wrong, "usage" end
  return value
end

--- Arguments of a script: its defaults, overridden by what the user set.
-- @param script a loaded script; script.args is {name = {default, "what it is", {words} or nil}}
-- @param set {name = text or value}
-- @return {name = value}, or nil, message, "usage"
function M.values(script, set)
  local declared, values = script.args or {}, {}
  for name, spec in pairs(declared) do values[name] = spec[1] end
  for _, name in ipairs(check.sorted_keys(set or {})) do
    if not declared[name] then return no_argument(name, declared) end
    local value, message, code = typed(name, declared[name], set[name])
    if value == nil then return nil, message, code end
    values[name] = value
  end
  return values
end

return M
