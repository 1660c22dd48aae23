-- A download in parts, resumed and accepted by its hash: build/bittern run examples/download.lua
-- URL PATH [SHA256]. Without a URL it serves itself a file first.
local fs = require "core.fs"
local process = require "core.process"
local sha256 = require "core.sha256"

local download = require "bittern.download"

local url, path, hash = ...
local server
if not url then
  local folder = os.tmpname() .. ".d"
  assert(fs.mkdir(folder))
  assert(fs.write(folder .. "/model.bin", ("bittern "):rep(100000)))
  -- A server without ranges: the file comes in one piece.
  server = assert(process.spawn { argv = { "python3", "-u", "-m", "http.server", "0", "--bind",
    "127.0.0.1", "--directory", folder }, stdout = "pipe", stderr = "null" })
  url = assert(server:read_line(10)):match("%((http://[^)]*)%)") .. "model.bin"
  path, hash = folder .. "/copy.bin", sha256.hex(("bittern "):rep(100000))
end

local results = assert(download.run({ { url = url, path = path, sha256 = hash } }, {
  parallel = 4,
  on_progress = function(done, total) io.stderr:write(("\r%d of %d bytes"):format(done, total)) end,
}))
io.stderr:write("\n")
print(("%d bytes, sha256 %s, as expected: %s"):format(results[1].size, results[1].sha256,
  tostring(results[1].verified)))
if server then server:close() end
