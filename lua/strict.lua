-- Globals that are strict: a misspelt name is an error with its line instead of a silent nil.

--- What a chunk gets as its environment.
-- @param env table of what it may see
-- @return a stand-in that cannot be changed
return function(env)
  return setmetatable({}, {
    __metatable = false,
    __index = function(_, name)
      local value = env[name]
      if value == nil then error("undefined global '" .. tostring(name) .. "'", 2) end
      return value
    end,
    __newindex = function(_, name)
      error("assignment to global '" .. tostring(name) .. "'", 2)
    end,
  })
end
