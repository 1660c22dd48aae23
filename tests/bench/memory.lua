-- `make bench-memory`: a model of 27 billion parameters, 55 GB of holes, is compressed in little
-- memory. It takes 5 GB of disk, and fails from 1 GB of memory on.
local process = require "core.process"
local sys = require "core.sys"

local report = require "bittern.report"
local giant_model = require "tests.giant_model"
local support = require "tests.support"

local LIMIT <const> = 1000000000

local folder = support.folder()
local dir, bytes = giant_model.single()
local started = sys.clock()
local done = assert(process.run { argv = { support.bin, "compress", dir, "--budget", "binary",
  "--out", folder .. "/a.zip" }, env = support.environment(folder), timeout = 3600 })
assert(done.status == 0, done.stderr)
report.out(("%.1f GB of bf16 in %.0f s, %d MB of memory at its peak"):format(bytes / 1e9,
  sys.clock() - started, done.peak_memory // 1000000))
assert(done.peak_memory < LIMIT, "over 1 GB of memory")
return true
