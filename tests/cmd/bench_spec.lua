-- bittern bench, from the command line: a local repository with a benchmark of its own.
local fs = require "core.fs"

local answering = require "tests.answering"
local json = require "bittern.json"
local repository = require "tests.repository"

-- Scores the artifact by its size, and rejects what is over 10 bytes before it writes a result.
local BENCHMARK <const> = [[
size=$(wc -c < "$AUTORESEARCH_SUBMISSION_ARTIFACT_PATH")
if [ "$size" -gt 10 ]; then echo "validator_rejection=artifact_size" >&2; exit 1; fi
printf '{"metric_name": "m", "metric_value": %d.5, "kb": 1}' "$size" > pack/last_run.json
]]

describe("bittern bench", function()
  it("runs the task's benchmark and says what validators would report", function()
    local remote = repository.make { ["pack/benchmark.sh"] = BENCHMARK, ["pack/train.py"] = "x\n" }
    local server = answering.start({
      repository = remote.url, base_ref = "production", allowed_patch_paths = { "pack/train.py" },
      benchmark_command = "sh pack/benchmark.sh", result_path = "pack/last_run.json",
      setup_command = "true", time_budget_seconds = 60,
    }, "# Task\n")
    local work, artifact = server.home .. "/work", server.home .. "/a.zip"
    assert.equal(0, server:run("workspace", "here", work).status)
    local function run(size, ...)
      assert(fs.write(artifact, ("x"):rep(size)))
      return server:run("bench", "here", "--workspace", work, "--artifact", artifact, ...)
    end
    local done = run(7)
    assert.equal(0, done.status, done.stderr)
    assert.equal("kb=1.0\nm=7.5\n", done.stdout)
    assert.matches("validators would report: accepted", done.stderr)
    assert.matches("--sandbox bwrap", done.stderr, 1, true)
    done = run(11, "--json", "--log", server.home .. "/log")
    assert.equal(1, done.status)
    local data = assert(json.decode(done.stdout))
    assert.same({ "error", "validator_rejection=artifact_size" }, { data.status, data.marker })
    assert.matches("benchmark exit=1", fs.read(server.home .. "/log"), 1, true)
    assert.matches("look for the file first", done.stderr, 1, true)
    repository.write(work .. "/repo", { ["pack/train.py"] = "y\n", ["other"] = "z" })
    done = run(7)
    assert.equal(0, done.status, done.stderr)
    assert.matches("validators will not", done.stderr, 1, true)
    assert.equal(2, run(7, "--env", "no").status)
    assert.equal(2, server:run("bench", "here", "--workspace", work, "--artifact", work).status)
    server:stop()
  end)
end)
