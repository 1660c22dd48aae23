-- ctx, as a recipe sees it, inside a sandbox or not.
local check = require "bittern.check"
local fault = require "bittern.compress.fault"

-- Text found anywhere in the name; * stands for any characters.
local function match(name, patterns)
  if type(patterns) == "string" then
    local list = {}
    for word in patterns:gmatch("[^,]+") do list[#list + 1] = word end
    patterns = list
  end
  if type(patterns) ~= "table" then fault.raise("ctx.match: patterns must be a text or a list") end
  for _, pattern in ipairs(patterns) do
    local lua_pattern = tostring(pattern):gsub("%W", "%%%0"):gsub("%%%*", ".*")
    if tostring(name):find(lua_pattern) then return true end
  end
  return false
end

-- Reading a field that is not there is a slip of the hand.
local function strict(what, fields)
  return setmetatable({}, {
    __metatable = false,
    __index = function(_, key)
      local value = fields[key]
      if value ~= nil then return value end
      fault.raise(("%s has no '%s'%s"):format(what, tostring(key),
        check.hint(tostring(key), check.sorted_keys(fields))), key)
    end,
    __newindex = function(_, key)
      fault.raise(("%s.%s cannot be set"):format(what, tostring(key)), key)
    end,
    __pairs = function()
      local keys, at = check.sorted_keys(fields), 0
      return function()
        at = at + 1
        return keys[at], fields[keys[at]]
      end
    end,
  })
end

--- What a recipe sees beside the tensor.
-- @param functions {name = function(options) -> token} that say what becomes of the tensor
-- @param args of the recipe
-- @param bits the budget's bits a parameter, or nil
return function(functions, args, bits)
  local fields = {
    args = strict("ctx.args", args), bits = bits or false, match = match,
    error = function(message) fault.raise(tostring(message)) end,
  }
  for name, action in pairs(functions) do fields[name] = action end
  return strict("ctx", fields)
end
