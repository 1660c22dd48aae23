-- Lines typed at a terminal, with completion and history: build/bittern run examples/prompt.lua
local prompts = require "core.prompt"
local sys = require "core.sys"
local versions = require "core.versions"

if not sys.isatty(0) then
  -- Nobody types: tell what would edit the lines, among all that this program is made of.
  for name, version in pairs(versions.libraries()) do print(name, version) end
  return 0
end

local birds <const> = { "bittern", "heron", "stork" }

-- Tab: what to insert, and what to show when there are several.
local function complete(text)
  for _, bird in ipairs(birds) do
    if text ~= "" and bird:sub(1, #text) == text then return bird:sub(#text + 1) end
  end
  return nil, table.concat(birds, "  ")
end

local prompt <close> = assert(prompts.open(complete))
print "name a wading bird; Tab helps, Ctrl-D leaves"
while true do
  local line = prompt:read "bird> "
  if not line then break end
  prompt:add(line)
  print(("%s has %d letters"):format(line, utf8.len(line) or #line))
end
