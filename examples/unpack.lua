-- What a stranger's tar holds, read as a stream and never written to disk:
--   build/bittern run examples/unpack.lua
local process = require "core.process"
local unpack = require "core.unpack"

local paths = require "bittern.paths"

local made = assert(process.run {
  argv = { "tar", "-cz", "-C", paths.root(), "LICENSE", "recipes" },
})
assert(made.status == 0, made.stderr)

local most <const> = 1 << 20 -- bytes that may come out: a bomb ends there
local entries <close> = assert(unpack.tar(made.stdout, { filter = "gzip", most = most }))
while true do
  local entry = assert(entries:next() or { name = false })
  if not entry.name then break end
  local bytes = 0
  repeat
    local block = assert(entries:block())
    bytes = bytes + block
  until block == 0
  print(("%-7s %6d  %s"):format(entry.kind, bytes, entry.name))
end
assert(entries:finish())
print(("%d bytes came out of %d"):format(entries:unpacked(), #made.stdout))
