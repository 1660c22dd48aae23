-- A replay in a checkout: every outcome of contract.md 4.3 by its name, from a real repository.
local fs = require "core.fs"
local sha256 = require "core.sha256"

local json = require "bittern.json"
local replay = require "bittern.practice.replay"

local repository = require "tests.repository"
local serving = require "tests.practice.serving"
local support = require "tests.support"

local BYTES <const> = "an artifact"
local PATCH <const> = [[
diff --git a/train.py b/train.py
--- a/train.py
+++ b/train.py
@@ -1 +1 @@
-one
+two
]]

describe("a replay in a checkout", function()
  local repo, dir, child, url

  setup(function()
    repo = repository.make { ["train.py"] = "one\n" }
    dir = support.folder()
    assert(fs.mkdir(dir .. "/files"))
    assert(fs.write(dir .. "/files/a.bin", BYTES))
    child, url = serving.start(dir, { "--no-validator" })
  end)
  teardown(function() serving.stop(child) end)

  -- What a replay says of a benchmark; `change` alters the spec, `submission` the submission.
  local function run(benchmark, change, submission, options)
    local spec = {
      repository = repo.url, base_ref = "production", benchmark_command = benchmark,
      result_path = "run.json", allowed_patch_paths = { "train.py" }, metric_name = "ppl",
      time_budget_seconds = 20,
    }
    for name, value in pairs(change or {}) do spec[name] = value ~= "" and value or nil end
    local job = { job_id = "j", submission_id = "s", task = { slug = "own" }, replay_spec = spec,
      submission = { patch = PATCH, base_ref = repo.commit } }
    for name, value in pairs(submission or {}) do job.submission[name] = value end
    local all = { folder = dir }
    for name, value in pairs(options or {}) do all[name] = value end
    return replay.run(job, all)
  end

  local function said(...)
    local result = run(...)
    assert.is_nil(fs.stat(dir .. "/repo"))
    return { result.status, (result.notes:gsub(dir:gsub("%p", "%%%0") .. "/repo", "")) }
  end

  local GOOD <const> = [[echo '{"metrics":{"ppl":4.5,"other":2}}' > run.json]]
  local PREPARATION <const> = "Replay preparation failed: "

  it("accepts what passes, with every number that the result holds", function()
    local result = run("grep -q two train.py && " .. GOOD)
    assert.same({ "accepted", "Replay succeeded in host replay | exit=0" },
      { result.status, result.notes })
    assert.same({ ppl = 4.5, other = 2 }, result.observed_metrics)
    assert.equal("accepted", run("echo PPL: 3", { result_path = "" }).status)
  end)

  it("rejects a patch that is too large", function()
    assert.same({ "rejected", "Patch exceeds maximum size of 9 bytes" },
      said(GOOD, { max_patch_bytes = 9 }))
  end)

  it("rejects a patch without paths", function()
    assert.same({ "rejected", "Patch surface could not be determined from the submitted diff" },
      said(GOOD, nil, { patch = "just words" }))
  end)

  it("rejects bytecode in a patch", function()
    assert.same({ "rejected", "Patch modified generated Python bytecode/cache files: x.pyc" },
      said(GOOD, { allowed_patch_paths = { "*" } }, { patch = "+++ b/x.pyc\n" }))
  end)

  it("rejects a patch outside the surface, and every patch where there is none", function()
    local outside = "Patch modified files outside the fixed competition surface: train.py"
    assert.same({ "rejected", outside }, said(GOOD, { allowed_patch_paths = { "other.py" } }))
    assert.same({ "rejected", outside }, said(GOOD, { allowed_patch_paths = {} }))
  end)

  it("fails to prepare without a repository, a ref or a patch that applies", function()
    local gone = said(GOOD, { repository = dir .. "/none.git" })
    assert.equal("error", gone[1])
    assert.truthy(gone[2]:find(PREPARATION .. "clone ", 1, true), gone[2])
    local ref = said(GOOD, { base_ref = "nowhere" })
    assert.truthy(ref[2]:find(PREPARATION .. "the repository has no branch", 1, true), ref[2])
    local patch = said(GOOD, nil, { patch = (PATCH:gsub("%-one", "-three")) })
    assert.truthy(patch[2]:find(PREPARATION .. "git apply", 1, true), patch[2])
  end)

  it("takes the commit of the spec before its ref", function()
    assert.equal("accepted", run(GOOD, { base_ref = "nowhere", base_commit_sha = repo.commit })
      .status)
    assert.equal("accepted", run(GOOD, { base_ref = "" }).status)
  end)

  it("fails to prepare without the artifact that is needed, and shows it to the benchmark",
    function()
      assert.same({ "error", PREPARATION .. "submission artifact is required for this replay" },
        said(GOOD, nil, { patch = "" }))
      local fields = { patch = "", artifact_uri = url .. "/files/a.bin",
        artifact_sha256 = sha256.hex(BYTES), artifact_size_bytes = #BYTES }
      local see = ("test $(wc -c < $AUTORESEARCH_SUBMISSION_ARTIFACT_PATH) = %d && "):format(#BYTES)
      assert.equal("accepted", run(see .. GOOD, nil, fields).status)
      fields.artifact_sha256 = ("0"):rep(64)
      assert.truthy(said(GOOD, nil, fields)[2]:find("artifact_sha256 mismatch", 1, true))
    end)

  it("fetches held-out texts before the commands, and hides where they come from", function()
    local env = { AUTORESEARCH_HELDOUT_SOURCES_JSON = '["one",{"text":"two","category":"c"}]',
      HF_TOKEN = "hf_secret" }
    local see = "test -z \"$HF_TOKEN$AUTORESEARCH_HELDOUT_SOURCES_JSON\" && "
      .. "grep -q '\"text\":\"two\"' $AUTORESEARCH_PRIVATE_HELDOUT_MANIFEST && "
    assert.equal("accepted", run(see .. GOOD, { validator_benchmark_env = env }).status)
    env = { AUTORESEARCH_HELDOUT_SOURCES_JSON = '[{"dataset":"a/b","split":"test"}]' }
    assert.truthy(said(GOOD, { validator_benchmark_env = env })[2]:find(
      PREPARATION .. "heldout source 1", 1, true))
  end)

  it("says that setup failed, or took too long", function()
    assert.same({ "error", "Setup failed in host replay | exit=3" },
      said(GOOD, { setup_command = "exit 3" }))
    assert.same({ "error", "Setup exceeded the fixed replay time budget" },
      said(GOOD, { setup_command = "sleep 9", time_budget_seconds = 1 }))
  end)

  it("says that the benchmark took too long, and leaves nothing running", function()
    assert.same({ "error", "Benchmark exceeded the fixed replay time budget" },
      said("sleep 9", { time_budget_seconds = 1 }))
  end)

  it("looks for the result before it looks at the exit status", function()
    assert.same({ "error", "result file not found: /run.json" },
      said("echo validator_rejection=artifact_size; exit 1"))
    assert.same({ "error", "result file is not valid JSON: /run.json" }, said("echo x > run.json"))
    assert.same({ "error", "result file missing metric 'ppl': /run.json" },
      said("echo '{}' > run.json"))
  end)

  it("tells a rejection from a failure by what the benchmark prints", function()
    assert.same({ "rejected", "Replay rejected in host replay | exit=1" },
      said(GOOD .. "; echo validator_rejection=size; exit 1"))
    assert.same({ "error", "Replay failed in host replay | exit=1" }, said(GOOD .. "; exit 1"))
    assert.same({ "error", "Replay failed in host replay | exit=0" },
      said("echo nothing", { result_path = "" }))
  end)

  it("misses a secondary metric that is asked for", function()
    assert.same({ "error", "Replay missing secondary metric 'kb' in host replay" },
      said("echo ppl=1", { result_path = "", secondary_metric_name = "kb" }))
  end)

  it("has words of its own for a sandbox that fails", function()
    local command = require "bittern.bench.command"
    local real = command.run
    finally(function() command.run = real end)
    command.run = function() return nil, "no bwrap here", "not_found" end
    assert.same({ "error", "Docker sandbox failed during benchmark: no bwrap here" },
      said(GOOD, nil, nil, { sandbox = "bwrap" }))
    command.run = function() return { status = -9, stdout = "", stderr = "", timed_out = true } end
    assert.same({ "error", "Docker sandbox failed during setup: timed out" },
      said(GOOD, { setup_command = "sleep 9" }, nil, { sandbox = "bwrap" }))
  end)

  it("posts nothing where a validator posts nothing", function()
    for name, message in pairs {
      repository = "the replay spec has no repository",
      benchmark_command = "the replay spec has no benchmark_command",
      metric_name = "the replay spec has no metric_name",
    } do
      local result, why, code = run(GOOD, { [name] = "" })
      assert.is_nil(result)
      assert.same({ message, "bench_error" }, { why, code })
    end
    assert.is_nil((run([[echo '{"ppl":NaN}' > run.json]])))
  end)

  it("keeps logs and notes below the validator's length", function()
    local result = run("head -c 300000 /dev/zero | tr '\\0' x; " .. GOOD)
    assert.equal(128000, #result.replay_log)
    assert.equal(json.null, run(GOOD, { max_patch_bytes = 1 }).observed_metrics)
  end)
end)
