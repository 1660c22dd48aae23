-- A stranger's function that is made to end: build/bittern run examples/limit.lua
local limit = require "core.limit"

print(limit.call({ seconds = 1 }, function(a, b) return a + b end, 1, 2))
print(limit.call({ seconds = 0.1 }, function() while true do pcall(error) end end))
print(limit.call({ memory = 1 << 20 }, function() return ("x"):rep(1 << 30) end))
