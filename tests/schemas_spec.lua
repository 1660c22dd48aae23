-- docs/schemas say what every command prints with --json: every command is run here, in each of the
-- forms that its output has, beside a terminal, and python3-jsonschema judges what came.
local fs = require "core.fs"
local lfs = require "lfs"

local canonical = require "bittern.canonical"
local coordinator = require "bittern.coordinator"
local json = require "bittern.json"
local mining = require "tests.mining"
local practice = require "tests.practice.support"
local repository = require "tests.repository"
local support = require "tests.support"
local validator_key = require "bittern.practice.validator_key"

local BINARY <const>, TERNARY <const> = "tiny-binary-frontier", "tiny-ternary-frontier"
local MODEL <const>, NORM <const> = support.model, "model.norm.weight"
local PATCH <const> = "diff --git a/train.py b/train.py\n--- a/train.py\n+++ b/train.py\n"
  .. "@@ -1 +1 @@\n-one\n+two\n"

-- Commands that may print several objects, or none.
local STREAMS <const> = { loop = true, practice = true, run = true }

local function names(folder, suffix)
  local list = {}
  for name in lfs.dir(support.root .. "/" .. folder) do
    list[#list + 1] = name:match("^([%w-]+)%." .. suffix .. "$")
  end
  table.sort(list)
  return list
end

describe("docs/schemas", function()
  local outputs, count, seen = support.folder(), 0, {}
  local miner, home, repo, alice, terminal

  setup(function()
    repo = repository.make { ["train.py"] = "one\n" }
    local path = support.folder() .. "/task.json"
    assert(fs.write(path, assert(json.encode(practice.task {
      slug = "judged", competition_mode = "peer_evaluation", repository = repo.url,
      min_peer_evaluations = 1, metric_name = "kb", benchmark_command = "echo kb=4.5",
    }))))
    terminal = support.terminal()
    miner = mining.start { "--task", path }
    home = miner.home
    alice = assert(coordinator.new { url = miner.url, key = practice.alice })
    assert(fs.write(home .. "/short", (assert(fs.read(home .. "/text")):sub(1, 100))))
  end)
  teardown(function()
    miner:stop()
    if terminal then terminal.stop() end
  end)

  -- People sit at the terminal, if there is one: stdout has the JSON all the same, and no more.
  local function bittern(...)
    return support.run({ "/bin/sh", "-c", 'exec "$0" "$@" <"$TERMINAL" 2>"$TERMINAL"', support.bin,
      ... }, { env = support.environment(home, { TERM = "xterm", BITTERN_SETTLE = "2",
        TERMINAL = terminal and terminal.path or "/dev/null" }) })
  end

  -- Runs a command, keeps what it prints for the judge, and gives its first object.
  local function run(status, command, ...)
    local done = bittern("--json", "--coordinator", miner.url, command, ...)
    assert.equal(status, done.status, command .. ": " .. done.stdout)
    local _, lines = done.stdout:gsub("\n", "")
    assert.is_true(STREAMS[command] or lines == 1, command .. ": " .. done.stdout)
    count, seen[command] = count + 1, true
    assert(fs.write(("%s/%03d.%s"):format(outputs, count, command), done.stdout))
    return json.decode((done.stdout:match("^[^\n]*")))
  end

  it("are there for every command, and for nothing else", function()
    local all = names("lua/cmd", "lua")
    all[#all + 1] = "common"
    table.sort(all)
    assert.same(all, names("docs/schemas", "json"))
  end)

  it("are asked of wallets, scripts and this machine", function()
    run(0, "wallet", "new", "--dry-run")
    run(0, "wallet", "new")
    for _, action in ipairs { "show", "list", "check" } do run(0, "wallet", action) end
    run(0, "sign", "--method", "GET", "--path", "/x")
    run(0, "config")
    run(0, "doctor")
    run(0, "version")
    run(0, "completions", "fish")
    run(0, "completions", "candidates", "--", "ta")
    run(0, "new", "recipe", "little", "--dry-run")
    local path = run(0, "new", "recipe", "little").files[1]
    run(0, "scripts")
    assert.equal(path, run(0, "scripts", "--trust", path).trusted)
    run(0, "test", path)
    assert(fs.write(home .. "/s.lua", "require('bittern.report').data { mine = 1 }"))
    run(0, "run", home .. "/s.lua")
    run(0, "loop", "--cycles", "2", "--interval", "0", "--", "version")
  end)

  it("are asked of models", function()
    local packed, text = home .. "/packed", home .. "/short"
    run(0, "compress", MODEL, "--budget", "ternary", "--dry-run")
    run(0, "compress", MODEL, "--budget", "ternary", "--out", packed)
    run(0, "inspect", packed)
    run(0, "stats", packed)
    run(0, "stats", MODEL, "--tensor", "model.layers.0.mlp.up_proj.weight")
    run(0, "decode", MODEL, "--tensor", NORM, "--out", home .. "/norm")
    run(0, "convert", MODEL, home .. "/c.gguf", "--dry-run")
    run(0, "convert", MODEL, home .. "/c.gguf")
    run(0, "eval", packed, "--text", home .. "/text")
    run(0, "eval", packed, "--text", text, "--reference", MODEL, "--per-document")
    run(0, "eval", packed, "--text", text, "--by-layer", MODEL)
    run(0, "calibrate", MODEL, "--text", text, "--out", home .. "/i.safetensors")
    run(0, "sweep", MODEL, "--text", text, "--try", "rowcol")
    run(0, "frontier")
    run(0, "report")
    run(0, "report", "--out", home .. "/r.html")
  end)

  it("are asked of artifacts", function()
    local packed, file = home .. "/packed", home .. "/a.zip"
    run(0, "pack", packed, "--dry-run")
    run(0, "pack", packed, "--out", file)
    run(0, "pack", packed, "--out", home .. "/a.gguf", "--layout", "gguf")
    run(0, "hash", file)
    run(0, "verify", file)
    run(9, "verify", home .. "/text")
    run(0, "publish", file, "--to", "practice", "--dry-run")
    local url = run(0, "publish", file, "--to", "practice").url
    run(0, "download", url, "--to", home .. "/b.zip", "--dry-run")
    local sum = run(0, "download", url, "--to", home .. "/b.zip").files[1].sha256
    assert.same({}, run(0, "download", url, "--to", home .. "/b.zip", "--sha256", sum).files)
  end)

  it("are asked of claims and submissions", function()
    run(0, "claim", BINARY, "--dry-run")
    run(0, "claim", BINARY)
    assert(fs.write(home .. "/x.zip", ("x"):rep(1000)))
    local published = run(0, "publish", home .. "/x.zip", "--to", "practice")
    assert(fs.write(home .. "/s.json", assert(canonical.encode { summary = "s",
      claimed_metrics = { heldout_ppl = 8.5, parameter_count = 2428672 },
      artifact_uri = published.url, artifact_sha256 = published.sha256,
      artifact_size_bytes = published.size })))
    run(0, "check", BINARY, "--submission", home .. "/s.json")
    run(0, "submit", BINARY, "--submission", home .. "/s.json", "--dry-run")
    local sent = run(0, "submit", BINARY, "--submission", home .. "/s.json").submission
    assert.equal(sent.id, run(0, "practice", "validate", "--once", "--state",
      home .. "/coordinator").submission_id)
    run(0, "track", sent.id)
    run(0, "practice", "plan", "--state", home .. "/coordinator")
    run(0, "work-items", BINARY)
    run(0, "work-items", BINARY, "--next", "--dry-run")
    run(0, "work-items", BINARY, "--next")
    run(0, "cancel", BINARY, "--dry-run")
    run(0, "cancel", BINARY)
    run(0, "ledger")
  end)

  -- The validator's word, without the work.
  local function accept_all()
    local key = assert(validator_key.load(home .. "/coordinator"))
    local validator = assert(coordinator.new { url = miner.url, key = key })
    for _, job in ipairs(assert(validator:scan_jobs())) do
      assert(validator:job_result(job.job_id, { submission_id = job.submission_id,
        status = "accepted", notes = "", observed_metrics = { heldout_ppl = 5.5 },
        replay_log = "" }))
    end
  end

  it("are asked of runs", function()
    local task = assert(alice:find(TERNARY))
    assert(alice:submit(practice.submission(assert(alice:claim(task, "x")),
      { proposed_idea = "rescue the rows that matter" })))
    local argv = miner:arguments(TERNARY)
    table.remove(argv, 1)
    run(0, "mine", "--dry-run", table.unpack(argv))
    run(8, "mine", table.unpack(argv))
    accept_all()
    run(0, "mine", table.unpack(argv))
    run(0, "ideas", TERNARY)
    run(0, "frontier", "--task", TERNARY)
    run(0, "report")
    run(0, "ledger")
    run(0, "agent", "judged", "--command", "true", "--dry-run")
  end)

  it("are asked of patches and of others' work", function()
    local work = home .. "/checkout"
    run(0, "workspace", "judged", work)
    assert(fs.write(work .. "/repo/train.py", "two\n"))
    run(0, "patch", "judged", "--workspace", work)
    run(0, "bench", "judged", "--workspace", work)
    local extra = { patch = PATCH, claimed_metrics = { kb = 1.0 }, base_ref = repo.commit }
    for _, name in ipairs { "uri", "sha256", "size_bytes" } do extra["artifact_" .. name] = "" end
    local task = assert(alice:find("judged"))
    assert(alice:submit(practice.submission(assert(alice:claim(task, "x")), extra)))
    run(0, "peer-evaluate", "judged", "--list")
    run(0, "peer-evaluate", "judged", "--sandbox", "none", "--dry-run")
    run(0, "peer-evaluate", "judged", "--sandbox", "none")
  end)

  it("are asked of the coordinator", function()
    run(0, "tasks")
    for _, command in ipairs { "task", "onboard", "rules", "best" } do run(0, command, TERNARY) end
    run(0, "best", BINARY)
    run(0, "rewards")
    run(0, "rewards", TERNARY)
    run(0, "dashboard")
    for _, action in ipairs { "pause", "resume" } do
      run(0, "practice", action, BINARY, "--state", home .. "/coordinator")
    end
    run(0, "practice", "fund", practice.alice:address(), "--state", home .. "/coordinator")
  end)

  it("are asked of the failure of every command", function()
    for _, command in ipairs(names("lua/cmd", "lua")) do
      assert.equal("usage", run(2, command, "--no-such-option").error.id)
    end
    assert.is_string(run(0, "hash", "--help").help)
  end)

  it("hold nothing of what people are told", function()
    local shown = terminal and terminal.shown() or ""
    if shown == "" then return pending("no pseudo-terminals here") end
    assert.truthy(shown:find("\27[1mdiscover", 1, true)) -- in colour
    assert.is_nil(shown:find('{"', 1, true))
  end)

  it("say what all of that is", function()
    for _, command in ipairs(names("lua/cmd", "lua")) do assert.is_true(seen[command], command) end
    local judged = support.run { "/usr/bin/python3", "-I",
      support.root .. "/tests/fixtures/schemas.py", support.root .. "/docs/schemas", outputs }
    assert.same({ 0, "" }, { judged.status, judged.stdout }, judged.stderr)
  end)
end)
