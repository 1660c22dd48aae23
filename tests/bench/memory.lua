-- `make bench-memory`: a model of 27 billion parameters, 55 GB of holes, is compressed in little
-- memory. It takes 5 GB of disk, and fails from 1 GB of memory on.
local report = require "bittern.report"
local giant_model = require "tests.giant_model"
local support = require "tests.support"

local LIMIT <const> = 1000000000

local dir, bytes = giant_model.single()
local out = support.folder() .. "/a.zip"
local status, seconds, peak = support.cost(support.folder(), { "compress", dir, "--budget",
  "binary", "--out", out })
assert(status == 0, "compress failed")
report.out(("%.1f GB of bf16 in %.0f s, %d MB of memory at its peak"):format(bytes / 1e9, seconds,
  peak // 1000000))
assert(peak < LIMIT, "over 1 GB of memory")
return true
