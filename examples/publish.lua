-- An artifact at a URL, proven byte for byte: build/bittern run examples/publish.lua
-- FILE PUBLISHER [NAME=VALUE...], as `bittern publish` does it. Without arguments it publishes a
-- file of its own into a folder that a small server on this machine serves.
local fs = require "core.fs"
local process = require "core.process"
local sha256 = require "core.sha256"

local publishing = require "bittern.publishing"
local report = require "bittern.report"

local path, publisher = ...
local set, server = {}, nil
for _, pair in ipairs { select(3, ...) } do
  local name, value = pair:match("^([%w_]+)=(.*)$")
  set[assert(name, "NAME=VALUE")] = value
end
if not path then
  local folder = os.tmpname() .. ".d"
  assert(fs.mkdir(folder .. "/www"))
  path, publisher = folder .. "/artifact.zip", "directory"
  assert(fs.write(path, ("bittern "):rep(100000)))
  server = assert(process.spawn { argv = { "python3", "-u", "-m", "http.server", "0", "--bind",
    "127.0.0.1", "--directory", folder .. "/www" }, stdout = "pipe", stderr = "null" })
  set.folder, set.url = folder .. "/www", assert(server:read_line(10)):match("%((http://[^)]*)/%)")
end

-- The publisher puts the bytes there; then they are fetched over a new connection and compared.
local digest, size = sha256.file(path)
local url, words = publishing.publish({ env = os.getenv, report = report }, publisher,
  { path = path, sha256 = digest, size = size }, set)
assert(url, words)
print(url)
print("the public replay engine " .. (words and "would say: " .. words or "would take it"))
if server then server:close() end
