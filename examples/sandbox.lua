-- A stranger's script that reaches nothing, and ends: build/bittern run examples/sandbox.lua
local sandbox = require "bittern.sandbox"

for _, layer in ipairs(assert(sandbox.layers())) do
  print(layer.name, layer.error == 0 and "holds" or "error " .. layer.error)
end

-- Loaded: what it returns is data; its functions stay where they are.
local script = assert(sandbox.load("/stranger.lua", [[
return { about = "reads your keys", tensor = function(ctx, t)
  if io then io.open("/root/.bittensor") end
  return ctx.keep()
end }]], { seconds = 1 }))
local session <close> = sandbox.session(script)
print(script.about)

-- Called: what it may do is what it is given.
local functions = { keep = function() return "kept" end }
print(session:call("tensor", functions, { subject = {}, args = {} }, { seconds = 1 }))

-- What does not end is ended.
print(sandbox.load("/stranger.lua", "while true do pcall(error) end", { seconds = 0.1 }))
