-- Reads a secret without making a string of it: build/bittern run examples/keybox.lua [FILE]
local keybox = require "core.keybox"

local path = ...
local shown <const> = '{"seed": "abc", "n": 5}'
local secret <close> = assert(path and keybox.read(path) or keybox.join { shown })
print(secret, #secret .. " bytes")
print("strings by their places", secret:masked())

-- A slice shows the same bytes; only text() copies them out of the locked memory.
local from, to = secret:masked():match('"(%d+):(%d+)"')
if from then
  local slice = secret:slice(math.tointeger(tonumber(from)), math.tointeger(tonumber(to)))
  print("the first string", slice, #slice .. " bytes")
end
