-- `core` and `bittern` as tables whose fields are modules, required when they are first asked for.
local help = require "bittern.reference.help"

local M = {}

-- Whether there is a module of this name, or one below it.
local function is_known(name)
  local below = name .. "."
  for _, known in ipairs(help.modules()) do
    if known == name or known:sub(1, #below) == below then return true end
  end
  return false
end

local function is_module(name)
  for _, known in ipairs(help.modules()) do
    if known == name then return true end
  end
  return false
end

--- A table of modules.
-- @param prefix "core", "bittern", or a longer name
-- @return table: field NAME is the module prefix.NAME, or a table of those below it
function M.table(prefix)
  return setmetatable({}, {
    __name = prefix,
    __index = function(self, key)
      local name = prefix .. "." .. tostring(key)
      local value
      if is_module(name) then value = require(name)
      elseif is_known(name) then value = M.table(name) end
      if value ~= nil then rawset(self, key, value) end
      return value
    end,
    -- For completion: what could be asked for.
    names = function()
      local names = {}
      for _, known in ipairs(help.modules()) do
        local name = known:match("^" .. prefix:gsub("%.", "%%.") .. "%.([%w_]+)")
        if name then names[name] = true end
      end
      return names
    end,
  })
end

return M
