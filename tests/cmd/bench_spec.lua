-- bittern bench, from the command line: a local repository with a benchmark of its own.
local fs = require "core.fs"

local command = require "bittern.bench.command"
local answering = require "tests.answering"
local json = require "bittern.json"
local repository = require "tests.repository"

-- Scores the artifact by its size, and rejects what is over 10 bytes before it writes a result.
local BENCHMARK <const> = [[
size=$(wc -c < "$AUTORESEARCH_SUBMISSION_ARTIFACT_PATH")
if [ "$size" -gt 10 ]; then echo "validator_rejection=artifact_size" >&2; exit 1; fi
cat "${AUTORESEARCH_PRIVATE_HELDOUT_MANIFEST:-/dev/null}"
printf '{"metric_name": "m", "metric_value": %d.5, "kb": 1}' "$size" > pack/last_run.json
]]

-- Says what a benchmark can reach.
local PROBE <const> = [[
import json, os, socket
def reaches(port):
    try:
        socket.create_connection(("127.0.0.1", port), 2)
        return 1
    except OSError:
        return 0
found = {"m": 1, "network": reaches(int(os.environ["PORT"])),
         "file": int(os.path.exists(os.environ["FILE"]))}
json.dump({"metrics": found}, open("run.json", "w"))
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
    assert(fs.write(server.home .. "/texts.json", '["a text",{"text":"another"}]'))
    done = run(7, "--heldout", server.home .. "/texts.json", "--log", server.home .. "/log")
    assert.equal(0, done.status, done.stderr)
    assert.matches('"text":"another"', fs.read(server.home .. "/log"), 1, true)
    assert.is_nil(fs.stat(work .. "/repo/.autoresearch-heldout"))
    assert.equal(2, run(7, "--env", "no").status)
    assert.equal(2, server:run("bench", "here", "--workspace", work, "--artifact", work).status)
    server:stop()
  end)

  it("with --sandbox bwrap shows its commands neither the network nor the home", function()
    local works, why = command.has_sandbox "bwrap"
    if not works then return pending(why) end
    local remote = repository.make { ["probe.py"] = PROBE }
    local server = answering.start({
      repository = remote.url, base_ref = "production", allowed_patch_paths = { "probe.py" },
      benchmark_command = "python3 probe.py", result_path = "run.json", time_budget_seconds = 60,
    }, "# Task\n")
    local work = server.home .. "/work"
    assert.equal(0, server:run("workspace", "here", work).status)
    local function seen(...)
      local done = server:run("bench", "here", "--workspace", work, "--baseline",
        "--env", "PORT=" .. server.url:match("%d+$"),
        "--env", "FILE=" .. server.home .. "/answers.json", ...)
      assert.equal(0, done.status, done.stderr)
      return done.stdout, done.stderr
    end
    assert.equal("file=1.0\nm=1.0\nnetwork=1.0\n", (seen()))
    local shown, said = seen("--sandbox", "bwrap")
    assert.equal("file=0.0\nm=1.0\nnetwork=0.0\n", shown)
    assert.matches("would report: accepted, Replay succeeded in sandbox", said, 1, true)
    assert.is_nil(said:find("run with your rights", 1, true))
    server:stop()
  end)
end)
