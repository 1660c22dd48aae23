-- A validator's replay, up to the score: the contract's order of checks and its words.
local fs = require "core.fs"
local sha256 = require "core.sha256"

local http = require "bittern.http"
local json = require "bittern.json"
local replay = require "bittern.practice.replay"

local serving = require "tests.practice.serving"
local support = require "tests.support"

describe("replay", function()
  local dir, child, url, calls
  local BYTES <const> = "some artifact"

  setup(function()
    dir = support.folder()
    assert(fs.mkdir(dir .. "/files"))
    assert(fs.write(dir .. "/files/a.zip", BYTES))
    child, url = serving.start(dir, { "--no-validator" })
  end)
  teardown(function() serving.stop(child) end)
  before_each(function() calls = 0 end)

  local function job(change)
    local submission = {
      patch = "", artifact_uri = url .. "/files/a.zip", artifact_sha256 = sha256.hex(BYTES),
      artifact_size_bytes = #BYTES,
    }
    for name, value in pairs(change or {}) do submission[name] = value end
    return {
      job_id = "j", submission_id = "s", task = { slug = "tiny-binary-frontier" },
      submission = submission, replay_spec = { allowed_patch_paths = { "a.py" } },
    }
  end

  -- A benchmark that reads what arrived.
  local function benchmark(path, task)
    calls = calls + 1
    assert.equal(BYTES, fs.read(path))
    assert.same({ 21, 16 }, task.budget)
    return { metrics = { heldout_ppl = 4.5 } }
  end

  local function run(change, with)
    return replay.run(job(change), { folder = dir, benchmark = with or benchmark })
  end

  it("hands the very bytes to the benchmark and keeps none of them", function()
    local result = run()
    assert.equal("accepted", result.status)
    assert.equal("Replay succeeded in practice replay | exit=0", result.notes)
    assert.same({ heldout_ppl = 4.5 }, result.observed_metrics)
    assert.is_nil(fs.stat(dir .. "/artifact"))
    assert.equal("accepted", run({ artifact_sha256 = sha256.hex(BYTES):upper() }).status)
  end)

  it("says why the artifact cannot be had", function()
    local port = url:match("%d+$")
    local cases = {
      { { artifact_uri = json.null }, "submission artifact is required for this replay" },
      { { artifact_uri = "http://files.example.org/a.zip" }, "required artifacts must use https" },
      { { artifact_uri = "http://127.0.0.1.example.org/a" }, "required artifacts must use https" },
      { { artifact_uri = "file:///etc/passwd" }, "local submission artifacts are disabled" },
      { { artifact_uri = "/etc/passwd" }, "local submission artifacts are disabled" },
      { { artifact_uri = "hf://a/b" }, "unsupported artifact_uri scheme: hf" },
      { { artifact_sha256 = json.null },
        "remote submission artifact is missing artifact_sha256 or artifact_size_bytes" },
      { { artifact_size_bytes = json.null },
        "remote submission artifact is missing artifact_sha256 or artifact_size_bytes" },
      { { artifact_uri = url .. "/files/none" }, "submission artifact download failed: HTTP 404" },
      { { artifact_size_bytes = 12 }, "artifact_size_bytes mismatch: expected 12, got " },
      { { artifact_size_bytes = 14 }, "artifact_size_bytes mismatch: expected 14, got 13" },
      { { artifact_sha256 = ("0"):rep(64) }, "artifact_sha256 mismatch: expected 000" },
      { { artifact_uri = "http://localhost:1/a" }, "submission artifact download failed: " },
      { { artifact_uri = "http://127.0.0.1:" .. port .. "/files/none" },
        "submission artifact download failed: HTTP 404" },
    }
    for _, case in ipairs(cases) do
      local result = run(case[1])
      assert.equal("error", result.status)
      assert.truthy(result.notes:find("Replay preparation failed: " .. case[2], 1, true),
        result.notes)
      assert.equal(json.null, result.observed_metrics)
    end
    assert.equal(0, calls)
    assert.is_nil(fs.stat(dir .. "/artifact"))
  end)

  it("follows no redirect and notices changed bytes", function()
    local other = support.folder()
    assert(fs.mkdir(other .. "/files"))
    assert(fs.write(other .. "/files/a.zip", BYTES))
    local bad, place = serving.start(other, { "--no-validator", "--fault", "file-redirect",
      "--fault", "file-changed" })
    local moved = run { artifact_uri = place .. "/files/a.zip" }
    local changed = run { artifact_uri = place .. "/files/a.zip?direct=1" }
    serving.stop(bad)
    assert.equal("Replay preparation failed: submission artifact redirects are not allowed",
      moved.notes)
    assert.truthy(changed.notes:find("artifact_sha256 mismatch", 1, true), changed.notes)
  end)

  it("refuses every kind of redirect, and nothing that is none", function()
    local statuses = { [301] = true, [302] = true, [303] = true, [307] = true, [308] = true,
      [200] = false, [203] = false }
    for status, refused in pairs(statuses) do
      local real = http.request
      http.request = function(options)
        assert.equal(0, options.redirects)
        options.sink(BYTES)
        return { status = status, headers = { location = "https://elsewhere.example.org/" },
          size = #BYTES }
      end
      local result = run { artifact_uri = "https://files.example.org/a.zip" }
      http.request = real
      assert.equal(refused and "error" or "accepted", result.status, status)
      local words = "submission artifact redirects are not allowed"
      assert.equal(refused, result.notes:find(words, 1, true) ~= nil)
    end
  end)

  it("looks at the patch first", function()
    local patch = "diff --git a/b.py b/b.py\n--- a/b.py\n+++ b/b.py\n"
    local result = run { patch = patch, artifact_uri = json.null }
    assert.equal("rejected", result.status)
    assert.equal("validator_rejection=disallowed_patch_paths", result.replay_log)
    assert.equal("accepted", run({ patch = (patch:gsub("b%.py", "a.py")) }).status)
  end)

  it("tells a rejection from a failure", function()
    local rejected = run({}, function()
      return { rejection = "validator_rejection=artifact_size artifact_bits=9 max_artifact_bits=8" }
    end)
    assert.equal("rejected", rejected.status)
    assert.equal("Replay rejected in practice replay | exit=1 | validator_rejection=artifact_size "
      .. "artifact_bits=9 max_artifact_bits=8", rejected.notes)
    local failed = run({}, function() return nil, "a.zip: no config.json", "invalid_model" end)
    assert.equal("error", failed.status)
    assert.equal("Replay failed in practice replay | exit=1 | a.zip: no config.json", failed.notes)
    assert.same({ nil, "interrupted", "interrupted" },
      { run({}, function() return nil, "interrupted", "interrupted" end) })
  end)

  it("decides by what is required whether an artifact may be missing", function()
    local patch = "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n"
    assert.equal("submission artifact is required for this replay",
      run({ artifact_uri = json.null }).notes:match("failed: (.*)"))
    local skipped = run({ artifact_uri = json.null, patch = patch }, function(path)
      assert.is_nil(fs.stat(path))
      return { metrics = { heldout_ppl = 4.0 } }
    end)
    assert.equal("accepted", skipped.status)
    local asked = job { artifact_uri = json.null, patch = patch }
    for _, word in ipairs { "1", "true", "YES" } do
      local env = { AUTORESEARCH_REQUIRE_SUBMISSION_ARTIFACT = word }
      asked.replay_spec.validator_benchmark_env = env
      local result = replay.run(asked, { folder = dir, benchmark = benchmark })
      assert.equal("error", result.status)
    end
  end)
end)
