-- `make bench-corruption`: downloads in which one bit is flipped on the way; each must be caught.
-- BENCH_ARGS="--runs N" for another number than 10,000.
local fs = require "core.fs"
local process = require "core.process"
local sha256 = require "core.sha256"

local download = require "bittern.download"
local http = require "bittern.http"
local report = require "bittern.report"
local support = require "tests.support"

local runs = math.tointeger(tonumber(select(2, ...) or 10000))
local child <close> = assert(process.spawn { argv = { "/usr/bin/python3",
  support.root .. "/tests/fixtures/fault_server.py" }, stdout = "pipe" })
local base = "http://127.0.0.1:" .. assert(child:read_line(10))
local hash = sha256.hex(assert(http.get(base .. "/none/GET/0/f")).body)
local path = support.folder() .. "/file"

local caught, escaped = 0, 0
local progress = report.progress { label = "downloads", total = runs, unit = "runs" }
for i = 1, runs do
  local results, message, code = download.run({ { url = ("%s/flip/GET/1/%d"):format(base, i),
    path = path, sha256 = hash } }, { say = function() end, parallel = 1 })
  if code == "integrity" and not fs.stat(path) then caught = caught + 1
  elseif results then escaped = escaped + 1
  else error(message) end
  progress:update(i)
end
progress.finish()
report.out(("%d downloads with a flipped bit: %d caught, %d escaped"):format(runs, caught, escaped))
if escaped > 0 then error("corrupt bytes were accepted") end
