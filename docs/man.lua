-- Writes a manual page of every command that comes with bittern: `bittern run docs/man.lua FOLDER`.
local fs = require "core.fs"
local manual = require "bittern.manual"

local folder = assert((...), "name a folder")
assert(fs.mkdir(folder, 0x1ED))
for name, text in pairs(manual.pages()) do
  local path = folder .. "/" .. name
  if fs.read(path) ~= text then assert(fs.write(path, text)) end
end
