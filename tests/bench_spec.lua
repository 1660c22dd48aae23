local fs = require "core.fs"

local bench = require "bittern.bench"
local command = require "bittern.bench.command"
local support = require "tests.support"

local PATCH <const> = "diff --git a/train.py b/train.py\n--- a/train.py\n+++ b/train.py\n"

describe("bittern.bench", function()
  local folder

  before_each(function() folder = support.folder() end)

  local function task(benchmark, extra)
    local value = { slug = "t", metric_name = "ppl", benchmark_command = benchmark,
      result_path = "out/run.json", time_budget_seconds = 60 }
    for key, member in pairs(extra or {}) do value[key] = member or nil end
    return value
  end

  local function run(benchmark, extra, options)
    local all = { folder = folder, task = task(benchmark, extra), patch = PATCH,
      spec = { allowed_patch_paths = { "train.py" } } }
    for key, value in pairs(options or {}) do all[key] = value end
    return assert(bench.run(all))
  end

  local function reported(...)
    local result = run(...)
    return { result.status, (result.notes:gsub(folder:gsub("%p", "%%%0"), "")) }
  end

  local writes = "mkdir -p out; echo '%s' > out/run.json"

  it("reports what validators report, check by check", function()
    local good = writes:format '{"metrics": {"ppl": 5.5}}'
    assert.same({ "accepted", "Replay succeeded in host replay | exit=0" }, reported(good))
    assert.same({ "rejected", "Patch exceeds maximum size of 5 bytes" },
      reported(good, nil, { spec = { allowed_patch_paths = {}, max_patch_bytes = 5 } }))
    assert.same({ "rejected",
      "Patch modified files outside the fixed competition surface: train.py" },
      reported(good, nil, { spec = { allowed_patch_paths = {} } }))
    assert.same({ "error",
      "Replay preparation failed: submission artifact is required for this replay" },
      reported(good, nil, { patch = "" }))
    assert.equal("accepted", run(good, nil, { patch = "", baseline = true }).status)
    assert.same({ "error", "Setup failed in host replay | exit=3" },
      reported(good, { setup_command = "exit 3" }))
    assert.same({ "error", "result file not found: /out/run.json" }, reported "true")
    assert.same({ "error", "result file is not valid JSON: /out/run.json" },
      reported(writes:format "{"))
    assert.same({ "error", "result file missing metric 'ppl': /out/run.json" },
      reported(writes:format "[]"))
    assert.same({ "error", "could not convert string to float: 'x'" },
      reported(writes:format '{"ppl": "x"}'))
    assert.same({ "error", "Replay failed in host replay | exit=2" }, reported(good .. "; exit 2"))
    assert.same({ "rejected", "Replay rejected in host replay | exit=1" },
      reported(good .. "; echo validator_rejection=artifact_size >&2; exit 1"))
    assert.same({ "error", "result file missing metric 'kb': /out/run.json" },
      reported(good, { secondary_metric_name = "kb" }))
    assert.same({ "error", "Replay missing secondary metric 'kb' in host replay" },
      reported("echo ppl=1", { result_path = false, secondary_metric_name = "kb" }))
    assert.same({ "error", "Replay failed in host replay | exit=0" },
      reported("echo nothing", { result_path = false }))
    assert.same({ 2.0, "accepted" }, (function()
      local result = run("echo PPL = 1; echo ppl: 2", { result_path = false })
      return { result.observed_metrics.ppl, result.status }
    end)())
  end)

  it("explains why a rejection is reported as an error", function()
    local result = run "echo 'validator_rejection=quantized_size artifact_bits=9'; exit 1"
    assert.equal("error", result.status)
    assert.matches("^result file not found", result.notes)
    assert.equal("validator_rejection=quantized_size artifact_bits=9", result.marker)
    assert.matches("look for the file first", result.explanation, 1, true)
  end)

  it("says when validators would post nothing", function()
    local function status(json) return run(writes:format(json)).status end
    assert.equal("none", status '{"ppl": null}')
    assert.equal("none", status '{"ppl": NaN}')
    assert.equal("none", status '{"metrics": {"ppl": 1, "other": -Infinity}}')
  end)

  it("takes no result of an earlier run for this one's", function()
    assert(fs.mkdir(folder .. "/out"))
    assert(fs.write(folder .. "/out/run.json", '{"ppl": 1}'))
    assert.equal("error", run("true").status)
  end)

  it("refuses a result_path that leads out of the checkout", function()
    for _, path in ipairs { "/etc/passwd", "../x", "a/../../x" } do
      local _, message, code = bench.run { folder = folder, task = task("true",
        { result_path = path }), spec = {} }
      assert.equal("config", code)
      assert.matches("leads out of the checkout", message, 1, true)
    end
  end)

  it("gives the commands the validator's environment and nothing of ours", function()
    local artifact = support.folder() .. "/a.zip"
    assert(fs.write(artifact, "bytes"))
    local result = run("env | sort > seen; pwd >> seen; "
      .. "cat $AUTORESEARCH_SUBMISSION_ARTIFACT_PATH >> seen; echo secretvalue; "
      .. writes:format '{"ppl": 1}', nil,
      { artifact = artifact, uri = "https://x/a.zip", env = { TOKEN = "secretvalue" }, patch = "" })
    assert.equal("accepted", result.status)
    local seen = fs.read(folder .. "/seen")
    local names = {}
    for name in seen:gmatch("([%w_]+)=") do
      if name ~= "PWD" and name ~= "SHLVL" and name ~= "_" and name ~= "OLDPWD" then
        names[#names + 1] = name
      end
    end
    assert.same({ "AUTORESEARCH_SUBMISSION_ARTIFACT_BYTES", "AUTORESEARCH_SUBMISSION_ARTIFACT_PATH",
      "AUTORESEARCH_SUBMISSION_ARTIFACT_URI", "HOME", "LANG", "LC_ALL", "PATH",
      "PIP_DISABLE_PIP_VERSION_CHECK", "PYTHONNOUSERSITE", "TOKEN" }, names)
    assert.matches("HOME=" .. folder .. "\n", seen, 1, true)
    assert.matches("ARTIFACT_BYTES=5\n", seen, 1, true)
    assert.matches("\nbytes$", seen)
    assert.matches("[REDACTED]", result.log, 1, true)
    assert.is_nil(result.log:find("secretvalue", 1, true))
    assert.is_nil((fs.stat(folder .. "/.autoresearch-submission")))
  end)

  it("has one deadline for both commands and kills what they leave behind", function()
    assert.same({ "error", "Benchmark exceeded the fixed replay time budget" },
      reported("sleep 0.1; (sleep 30; touch late) & sleep 30", nil, { seconds = 1 }))
    assert.same({ "error", "Setup exceeded the fixed replay time budget" },
      reported("true", { setup_command = "sleep 30" }, { seconds = 1 }))
    local now = 0
    local result = run("true", { setup_command = "true" },
      { seconds = 5, clock = function() now = now + 3; return now end })
    assert.equal("Benchmark exceeded the fixed replay time budget", result.notes)
  end)

  it("caps what is printed", function()
    local result = run("head -c 20000000 /dev/zero; " .. writes:format '{"ppl": 1}')
    assert.equal("accepted", result.status)
    assert.is_true(result.truncated)
    assert.is_true(#result.log < 17 << 20)
  end)

  it("shuts the commands in with bubblewrap", function()
    local ok, message = command.has_sandbox "bwrap"
    if not ok then return pending(message) end
    local outside = support.folder()
    local result = run(("test ! -e %s && ! touch /usr/x 2>/dev/null && "
      .. "test -w . && "):format(outside)
      .. "test $(ls /proc | grep -c '^[0-9]') -lt 8 && " .. writes:format '{"ppl": 1}', nil,
      { sandbox = "bwrap" })
    assert.equal("Replay succeeded in sandbox | exit=0", result.notes)
    assert.equal("accepted", result.status)
  end)

  it("says plainly that a sandbox is not installed", function()
    local _, message, code = command.has_sandbox "no-such-bwrap"
    assert.equal("config", code)
    assert.matches("not installed", message, 1, true)
  end)
end)
