-- A task's benchmark as validators run it: `bittern run examples/bench.lua FOLDER`.
local fs = require "core.fs"

local bench = require "bittern.bench"

local folder = (...) or error("name a folder to work in", 0)
assert(fs.mkdir(folder))
local task = {
  metric_name = "score", result_path = "run.json", time_budget_seconds = 10,
  benchmark_command = [[echo '{"score": 5.5, "seconds": 1}' > run.json]],
}
local result = assert(bench.run { folder = folder, task = task, spec = {}, baseline = true })
print(result.status, result.notes, result.observed_metrics.score)

-- A benchmark that rejects and writes nothing is reported as an error, and that is said.
task.benchmark_command = "echo validator_rejection=artifact_size; exit 1"
result = assert(bench.run { folder = folder, task = task, spec = {}, baseline = true })
print(result.status, result.explanation)
