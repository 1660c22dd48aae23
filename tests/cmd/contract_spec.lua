-- Edge cases of the coordinator's contract (Part 8) that no other spec meets where a user does: at
-- the command line. tests/edge_cases_spec.lua is the list of all of them.
local fs = require "core.fs"

local answering = require "tests.answering"
local canonical = require "bittern.canonical"
local json = require "bittern.json"
local mining = require "tests.mining"
local repository = require "tests.repository"
local small_model = require "tests.small_model"
local support = require "tests.support"

local BINARY <const> = "tiny-binary-frontier"

describe("the contract at the command line", function()
  local server, miner

  after_each(function()
    if server then server:stop() end
    if miner then miner:stop() end
    server, miner = nil, nil
  end)

  -- A task, answered for, and a checkout of its repository.
  local function check_out(files, task)
    local remote = repository.make(files)
    local record = { repository = remote.url, base_ref = "production",
      submission_surface = "patch", benchmark_command = "true" }
    for name, value in pairs(task) do record[name] = value end
    server = answering.start(record, "# Task\n")
    local work = server.home .. "/work"
    local done = server:run("workspace", "here", work)
    assert.equal(0, done.status, done.stderr)
    return work .. "/repo", remote
  end

  local function patch(...)
    local done = server:run("patch", "here", "--workspace", server.home .. "/work", ...)
    return done.status, done.stdout, done.stderr
  end

  it("4: a clock that is off is told before anything is refused for it", function()
    miner = mining.start { "--fault", "clock-ahead:100" }
    local done = miner:run { "claim", BINARY }
    assert.equal(0, done.status, done.stderr)
    assert.equal(1, select(2, done.stderr:gsub("clock is %d+ s behind", "")))
  end)

  it("5: a base URL may end in a slash, and signatures do not mind", function()
    miner = mining.start()
    miner.url = miner.url .. "/"
    local done = miner:run { "claim", BINARY }
    assert.equal(0, done.status, done.stderr)
    done = miner:run { "claim", BINARY, "--dry-run", "--json" }
    assert.is_nil(json.decode(done.stdout).request.url:find("//api", 1, true))
    assert.equal(0, miner:run({ "ideas", "tiny-ternary-frontier" }).status)
  end)

  it("10: a task may leave out what has a default, and rules says what was assumed", function()
    server = answering.start({ repository = "https://h/r.git", base_ref = "production",
      benchmark_command = "true", setup_command = json.null, result_path = json.null,
      allowed_patch_paths = json.array { "p/*" } }, "# Task\n")
    local done = server:run("rules", "here", "--json")
    assert.equal(0, done.status, done.stderr)
    local by_id = {}
    for _, rule in ipairs(json.decode(done.stdout).rules) do by_id[rule.id] = rule end
    assert.same({ 262144, "default" }, { by_id.patch_size.value, by_id.patch_size.source })
    assert.is_false(by_id.artifact_first.value)
    assert.equal(0, server:run("task", "here").status)
  end)

  it("20: names that validators read wrongly stop a patch, each with its reason", function()
    local repo = check_out({ ["x.py"] = "1\n" },
      { allowed_patch_paths = { "na*.py", "one*", "a/*" } })
    for name, reason in pairs {
      ["na\u{ef}ve.py"] = "quot", ["one b/two.py"] = " b/", ["a/three.py"] = "a/",
    } do
      repository.write(repo, { [name] = "2\n" })
      local status, shown, said = patch()
      assert.same({ 9, true }, { status, said:find("STOP", 1, true) ~= nil }, shown)
      assert.truthy(said:find(reason, 1, true), said)
      os.remove(repo .. "/" .. name)
    end
  end)

  it("21: `*` crosses slashes, `**/x` is not `x`, and case counts", function()
    local repo = check_out({ ["keep"] = "1\n" }, { allowed_patch_paths = { "*.py", "**/x.lua" } })
    repository.write(repo, { ["deep/er/a.py"] = "1\n", ["x.lua"] = "1\n", ["d/x.lua"] = "1\n",
      ["B.PY"] = "1\n" })
    local status, shown, said = patch()
    assert.equal(0, status, said)
    assert.truthy(shown:find("+++ b/deep/er/a.py", 1, true))
    assert.truthy(shown:find("+++ b/d/x.lua", 1, true))
    for _, name in ipairs { "x.lua", "B.PY" } do
      assert.matches("warning: " .. name .. " stays out of the patch", said, 1, true)
    end
  end)

  it("22: an allowed file that git ignores stays out, and that is told", function()
    local repo = check_out({ [".gitignore"] = "made.py\n", ["x.py"] = "1\n" },
      { allowed_patch_paths = { "*.py" } })
    repository.write(repo, { ["made.py"] = "1\n", ["x.py"] = "2\n" })
    local status, shown, said = patch()
    assert.equal(0, status)
    assert.is_nil(shown:find("made.py", 1, true))
    assert.matches("made.py stays out of the patch: git ignores it", said, 1, true)
  end)

  it("23: CRLF, a missing last line feed and bytes survive the patch", function()
    local repo, remote = check_out({ ["p/crlf"] = "a\r\nb\r\n", ["p/end"] = "x", ["p/bin"] = "\0" },
      { allowed_patch_paths = { "p/*" } })
    local files = { ["p/crlf"] = "a\r\nc\r\n", ["p/end"] = "y", ["p/bin"] = "\0\1\255" }
    repository.write(repo, files)
    local status, _, said = patch("--out", server.home .. "/p.diff")
    assert.equal(0, status, said)
    repository.git(remote.seed, "apply", server.home .. "/p.diff")
    for name, text in pairs(files) do assert.equal(text, fs.read(remote.seed .. "/" .. name)) end
  end)

  it("24: the cap on a patch is bytes, and holds to the byte", function()
    local repo = check_out({ ["x.py"] = "1\n" }, { allowed_patch_paths = { "x.py" } })
    repository.write(repo, { ["x.py"] = "# na\u{ef}ve\n" })
    local _, shown = patch()
    assert(fs.write(server.home .. "/p.diff", shown))
    local home = server.home
    for extra, status in pairs { [0] = 0, [-1] = 9 } do
      server:stop()
      server = answering.start({ allowed_patch_paths = { "x.py" }, submission_surface = "patch",
        max_patch_bytes = #shown + extra }, "# Task\n")
      local done = server:run("patch", "here", "--patch", home .. "/p.diff")
      assert.equal(status, done.status, done.stderr)
    end
  end)

  it("25: an empty patch is enough beside an artifact, and nowhere else", function()
    check_out({ ["x.py"] = "1\n" }, { allowed_patch_paths = { "x.py" } })
    local status, shown, said = patch()
    assert.same({ 9, "" }, { status, shown })
    assert.matches("no patch to submit within allowed_patch_paths", said, 1, true)
    server:stop()
    check_out({ ["x.py"] = "1\n" }, { allowed_patch_paths = { "x.py" },
      submission_surface = "artifact" })
    status, shown = patch()
    assert.same({ 0, "" }, { status, shown })
  end)

  -- Two archives of one model, in ways that only other tools write.
  local ARCHIVES <const> = [[
import os, sys, zipfile
model, twice, large = sys.argv[1:]
with zipfile.ZipFile(twice, "w") as out:
    for name in os.listdir(model): out.write(os.path.join(model, name), "m/" + name)
    out.write(os.path.join(model, "config.json"), "m/old/config.json")
with zipfile.ZipFile(large, "w") as out:
    for name in os.listdir(model):
        with out.open("m/" + name, "w", force_zip64=True) as entry:
            entry.write(open(os.path.join(model, name), "rb").read())
]]

  it("29, 30: two config.json are refused, sizes of 64 bits are read", function()
    local home = support.folder()
    local dir = small_model.write { { name = "w", shape = { 64, 64 } } }
    support.python(ARCHIVES, dir, home .. "/twice.zip", home .. "/large.zip")
    local done = support.bittern(home, { "verify", home .. "/twice.zip", "--json" })
    assert.same({ 9, "archive_config" }, { done.status, mining.failure(done).id })
    done = support.bittern(home, { "verify", home .. "/large.zip" })
    assert.equal(0, done.status, done.stdout .. done.stderr)
  end)

  -- A sidecar of a file that the practice coordinator has, with other fields.
  local function sidecar(changes)
    assert(fs.write(miner.home .. "/a.zip", ("x"):rep(1000)))
    local published = json.decode(miner:run({ "publish", miner.home .. "/a.zip", "--to",
      "practice", "--json" }).stdout)
    local fields = { summary = "s", claimed_metrics = { heldout_ppl = 8.5,
      parameter_count = 2428672 }, artifact_uri = published.url,
      artifact_sha256 = published.sha256, artifact_size_bytes = published.size }
    for name, value in pairs(changes) do fields[name] = value(fields[name]) end
    assert(fs.write(miner.home .. "/s.json", assert(canonical.encode(fields))))
    return miner:run { "submit", BINARY, "--submission", miner.home .. "/s.json", "--dry-run",
      "--json" }
  end

  it("27: hashes and sizes of other tools are put right, what is no size is refused", function()
    miner = mining.start()
    miner:run { "claim", BINARY }
    local done = sidecar { artifact_sha256 = function(sum) return " " .. sum:upper() .. "\n" end,
      artifact_size_bytes = function(size) return size + 0.0 end }
    assert.equal(0, done.status, done.stderr)
    local body = canonical.decode(json.decode(done.stdout).request.body)
    assert.equal(1000, body.artifact_size_bytes)
    assert.equal("integer", math.type(body.artifact_size_bytes))
    assert.matches("^%x+$", body.artifact_sha256)
    assert.equal(body.artifact_sha256:lower(), body.artifact_sha256)
    for _, size in ipairs { 0, 1000.5, "big" } do
      done = sidecar { artifact_size_bytes = function() return size end }
      assert.same({ 9, "sidecar" }, { done.status, mining.failure(done).id })
    end
  end)

  it("43: a path of this machine is no artifact_uri", function()
    miner = mining.start()
    miner:run { "claim", BINARY }
    for _, uri in ipairs { miner.home .. "/a.zip", "file:///a.zip", "hf://a/b", "ftp://h/a" } do
      local done = sidecar { artifact_uri = function() return uri end }
      assert.is_true(done.status ~= 0 and done.status ~= 1, done.stdout)
    end
    assert.same({ 1, 0 }, { miner:count() })
  end)

  -- What `bench` reports of a benchmark in a checkout.
  local function bench(command, task, ...)
    local record = { benchmark_command = command, allowed_patch_paths = { "x.py" },
      time_budget_seconds = 60 }
    for name, value in pairs(task) do record[name] = value end
    local repo = check_out({ ["x.py"] = "1\n" }, record)
    assert(fs.write(repo .. "/last_run.json", '{"m": 1}'))
    local done = server:run("bench", "here", "--workspace", repo, "--baseline", "--json", ...)
    local result = json.decode(done.stdout)
    server:stop()
    server = nil
    return result.status, result.observed_metrics.m, result.notes, done.status
  end

  it("31: neither an old result nor one of another type is a result", function()
    local file = { result_path = "last_run.json" }
    local status, _, _, exit = bench("true", file)
    assert.same({ "error", 1 }, { status, exit })
    for value, expected in pairs { ["null"] = "none", ["NaN"] = "none", ['"x"'] = "error",
      ['"2.5"'] = "accepted" } do
      local write = ([[echo '{"metrics": {"m": %s}}' > last_run.json]]):format(value)
      assert.equal(expected, (bench(write, file)), value)
    end
  end)

  it("32: of a metric that is printed several times the last one counts", function()
    local status, value = bench([[echo 'm=1 M: 2'; echo 'm = 3'; echo '"m": 4']], {})
    assert.same({ "accepted", 3 }, { status, value })
  end)

  it("33: what overstays is ended with its children", function()
    local status, _, notes = bench("(sleep 30; touch late) & sleep 30", {}, "--seconds", "1")
    assert.same({ "error", "Benchmark exceeded the fixed replay time budget" }, { status, notes })
  end)

  it("35: what a validator could not replay is told in its words", function()
    miner = mining.start()
    assert.equal(8, miner:mine(BINARY).status)
    miner:stop()
    miner:resume { "--fault", "file-redirect" }
    local judged = support.bittern(miner.home, { "--coordinator", miner.url, "practice", "validate",
      "--once", "--state", miner.home .. "/coordinator" })
    assert.equal(0, judged.status, judged.stderr)
    local id = miner:ask("SELECT id FROM submission")[1].id
    local done = miner:run { "track", id, "--timeout", "0", "--exit-status" }
    assert.is_true(done.status ~= 0, done.stdout)
    assert.matches("submission artifact redirects are not allowed", done.stderr, 1, true)
  end)

  it("40: keys that cannot sign are refused by name, and nothing of them is shown", function()
    miner = mining.start()
    local phrase = ("abandon "):rep(11) .. "about"
    for name, case in pairs {
      public = { '{"ss58Address":"5EPCUjPxiHAcNooYipQFWr9NmmXJKpNG5RhcntXwbtUySrgH"}', "public" },
      wrong = { ([[{"secretPhrase":"%s","ss58Address":
        "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"}]]):format(phrase), "address" },
    } do
      local path = miner.home .. "/" .. name
      assert(fs.write(path, case[1], { mode = 0x180 }))
      local done = support.bittern(miner.home, { "--coordinator", miner.url, "claim", BINARY,
        "--hotkey-file", path })
      assert.equal(4, done.status)
      assert.matches(case[2], done.stderr)
      assert.is_nil((done.stdout .. done.stderr):find("abandon", 1, true))
    end
    assert.same({ 0, 0 }, { miner:count() })
  end)

  it("42: ids may be numbers, and lists may be null", function()
    server = answering.start({ id = 7, allowed_patch_paths = json.null }, "# Task\n")
    assert.equal(0, server:run("task", "7").status)
    assert.equal("here\n", server:run("tasks", "-q").stdout)
  end)

  it("44: integers beyond 2^53 come out as they came in", function()
    server = answering.start({ max_patch_bytes = 9007199254740993 }, "# Task\n")
    assert.matches("9007199254740993", server:run("task", "here", "--json").stdout, 1, true)
    assert.matches("9007199254740993", server:run("task", "here").stdout, 1, true)
  end)
end)
