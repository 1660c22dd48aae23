-- One batch of the torture, as a process: `bittern run tests/torture/batch.lua RUNS SEED`.
local canonical = require "bittern.canonical"
local report = require "bittern.report"

local torture = require "tests.torture.torture"

local runs, seed = ...
local result = torture.batch(math.tointeger(tonumber(runs)), math.tointeger(tonumber(seed)))
report.out(assert(canonical.encode(result)))
