-- The tasks that ship, patched, benched, mined and worked on by a command, in their repositories.
local fs = require "core.fs"
local process = require "core.process"

local http = require "bittern.http"
local json = require "bittern.json"
local repositories = require "bittern.practice.repositories"
local tasks = require "bittern.practice.tasks"

local mining = require "tests.mining"
local repository = require "tests.repository"
local serving = require "tests.practice.serving"
local support = require "tests.support"

local SLUG <const> = "tiny-binary-frontier"
local PACK <const> = "competition_packs/tiny_binary_frontier/"
local EDIT <const> = "sed -i s/baseline/rowcol/ " .. PACK .. "train.py"

-- A command that takes no hotkey.
local function keyless(miner, ...)
  return support.bittern(miner.home, { "--coordinator", miner.url, ... })
end

describe("a shipped task's repository", function()
  it("has the commit that its record names, whenever it is made", function()
    local first, folder = assert(repositories.make(support.folder())), support.folder()
    local second = assert(repositories.make(folder))
    for _, task in ipairs(tasks) do
      local slug, commit = task.record.slug, task.record.base_ref
      assert.same({ commit, commit }, { first[slug].commit, second[slug].commit })
      assert.equal(commit, repository.git(second[slug].path, "rev-parse", "production"))
      assert.matches("/" .. task.record.repository:match("[^/]+$"), second[slug].path, 1, true)
    end
    -- One of another version is made anew.
    local path = second[SLUG].path
    repository.git(folder, "-C", path, "update-ref", "refs/heads/production",
      repository.git(path, "commit-tree", "-m", "older", "production^{tree}"))
    assert.equal(second[SLUG].commit, assert(repositories.make(folder))[SLUG].commit)
    assert.equal("", support.run({ "find", folder, "-name", "*.part" }).stdout)
  end)

  it("is in the record and on the page, in a state of an earlier version, too", function()
    local miner = mining.start()
    local function task()
      local list = assert(http.json("GET", miner.url .. "/api/v1/tasks"))
      return list[1].slug == SLUG and list[1] or list[2]
    end
    local now = task()
    assert.equal(now.base_ref, repository.git(now.repository, "rev-parse", "HEAD"))
    assert.matches("| Repository | " .. now.repository .. " |",
      keyless(miner, "onboard", SLUG, "--raw").stdout, 1, true)
    miner:ask [[UPDATE task SET task_state = 'paused',
      record = json_set(record, '$.repository', 'https://files.example.org/old.git')]]
    miner:stop()
    miner:resume()
    local renewed = task()
    assert.same({ now.id, "paused", now.repository },
      { renewed.id, renewed.task_state, renewed.repository })
    miner:stop()
  end)

  for what, case in pairs {
    ["without git"] = { "state", "no such program in PATH" },
    ["below a folder with blanks"] = { "a state", "no repository's address may have",
      os.getenv "PATH" },
  } do
    it("is missing " .. what .. ", which is said and stops nothing", function()
      local folder = support.folder()
      local server <close> = assert(process.spawn {
        argv = { support.bin, "practice", "--state", folder .. "/" .. case[1], "--no-validator" },
        env = support.environment(folder, { PATH = case[3] or folder }), stdout = "pipe",
        stderr = folder .. "/stderr",
      })
      local ready = assert(json.decode(assert(server:read_line(20))))
      assert.matches("the tasks that ship have no repositories: .*" .. case[2],
        assert(fs.read(folder .. "/stderr")))
      local list = assert(http.json("GET", ready.url .. "/api/v1/tasks"))
      assert.matches("^https://", list[1].repository)
      serving.stop(server)
    end)
  end
end)

describe("a patch of a shipped task", function()
  local miner, work, artifact

  setup(function()
    miner = mining.start({}, true)
    work, artifact = miner.home .. "/work", miner.home .. "/a.zip"
    local made = keyless(miner, "workspace", SLUG, work)
    assert.equal(0, made.status, made.stderr)
    support.run({ "/bin/sh", "-c", EDIT }, { cwd = work .. "/repo" })
    local done = support.bittern(miner.home,
      { "compress", support.model, "--budget", "binary", "--out", artifact })
    assert.equal(0, done.status, done.stderr)
  end)
  teardown(function() miner:stop() end)

  local function bench(...)
    return keyless(miner, "bench", SLUG, "--workspace", work, "--json", ...)
  end

  -- What the validator said of the latest submission.
  local function verdict()
    local row = miner:ask [[SELECT job.record, s.body FROM job
      JOIN submission AS s ON s.id = job.submission_id ORDER BY job.position DESC]][1]
    return json.decode(row.record), json.decode(row.body)
  end

  it("passes, and the benchmark scores the artifact as the validator does", function()
    local done = keyless(miner, "patch", SLUG, "--workspace", work)
    assert.equal(0, done.status, done.stderr)
    assert.matches('\n-    "name": "baseline",\n+    "name": "rowcol",\n', done.stdout, 1, true)
    done = bench("--artifact", artifact)
    assert.equal(0, done.status, done.stdout)
    local benched = json.decode(done.stdout)
    done = miner:run { "mine", SLUG, "--model", support.model, "--budget", "binary", "--text",
      miner.home .. "/text", "--publish", "practice", "--workspace", work, "--timeout", "60" }
    assert.equal(0, done.status, done.stderr)
    local said, body = verdict()
    assert.equal("Replay succeeded in host replay | exit=0", said.notes)
    assert.same(benched.observed_metrics, said.observed_metrics)
    assert.matches('+    "name": "rowcol",', body.patch, 1, true)
    assert.equal(repository.git(work .. "/repo", "rev-parse", "HEAD"), body.base_ref)
  end)

  it("is refused by the benchmark with an artifact over the budget", function()
    assert(fs.write(miner.home .. "/large", ("x"):rep(398455)))
    local done = bench("--artifact", miner.home .. "/large")
    assert.equal(1, done.status)
    assert.same({ "error",
      "validator_rejection=artifact_size artifact_bits=3187640 max_artifact_bits=3187632" },
      { json.decode(done.stdout).status, json.decode(done.stdout).marker })
  end)

  it("says what the benchmark lacks", function()
    local log = miner.home .. "/log"
    assert.equal(1, bench("--baseline", "--log", log).status)
    assert.matches("baseline_manifest=.*AUTORESEARCH_SUBMISSION_ARTIFACT_PATH is required",
      assert(fs.read(log)))
    assert(fs.write(miner.home .. "/broken", "no archive"))
    assert.equal(1, bench("--artifact", miner.home .. "/broken", "--log", log).status)
    assert.matches("artifact: is no archive", assert(fs.read(log)), 1, true)
  end)

  it("that a command leaves behind is submitted and replayed", function()
    local published = json.decode(miner:run({ "publish", artifact, "--to", "practice",
      "--json" }).stdout)
    assert(fs.write(miner.home .. "/side.json", assert(json.encode {
      summary = "tried", claimed_metrics = { heldout_ppl = 6.5, parameter_count = 2428672 },
      artifact_uri = published.url, artifact_sha256 = published.sha256,
      artifact_size_bytes = published.size,
    })))
    local done = miner:run { "agent", SLUG, "--timeout", "60", "--command",
      ("cd {repo_dir} && %s && cp %s/side.json {submission_path}"):format(EDIT, miner.home) }
    assert.equal(0, done.status, done.stderr)
    local said, body = verdict()
    assert.same({ "tried", "Replay succeeded in host replay | exit=0" },
      { body.summary, said.notes })
  end)
end)
