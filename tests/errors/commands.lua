-- How the errors of commands, tasks and submissions are met: id -> function that meets it and
-- gives the id that came.
local fs = require "core.fs"
local sys = require "core.sys"

local agents = require "bittern.agent.command"
local claims = require "bittern.claim"
local coordinator = require "bittern.coordinator"
local errors = require "bittern.errors"
local fake = require "tests.fake_coordinator"
local json = require "bittern.json"
local ledgers = require "bittern.ledger"
local mining = require "tests.mining"
local once = require "bittern.once"
local patch = require "bittern.patch"
local practice = require "tests.practice.support"
local repository = require "tests.repository"
local sandbox = require "bittern.sandbox"
local small_model = require "tests.small_model"
local support = require "tests.support"
local workspace = require "bittern.workspace"

local M = {}

local BINARY <const> = "tiny-binary-frontier"

local miner, home, repo, alice

--- Starts a practice coordinator with a task of its own, `judged`, whose benchmark says what the
-- workspace's train.py says.
function M.start()
  repo = repository.make { ["train.py"] = "echo kb=4.5\n" }
  local path = support.folder() .. "/task.json"
  assert(fs.write(path, assert(json.encode(practice.task { slug = "judged", metric_name = "kb",
    repository = repo.url, benchmark_command = "sh train.py" }))))
  miner = mining.start { "--task", path }
  home = miner.home
  alice = assert(coordinator.new { url = miner.url, key = practice.alice })
end

--- Ends it.
function M.stop()
  miner:stop()
end

local function id_of(_, _, id) return id end

local function told(done)
  return assert(json.decode(done.stdout), done.stderr).error.id
end

-- What a command ends with.
local function run(...)
  return told(support.bittern(home, { "--json", "--coordinator", miner.url, ... }))
end

local function command(...)
  local argv = { ... }
  return function() return run(table.unpack(argv)) end
end

-- The same of a miner with a hotkey.
local function mined(...)
  return told(miner:run { "--json", ... })
end

-- What a shell's line ends with; $0 is bittern.
local function shell(line, ...)
  return told(support.run({ "/bin/sh", "-c", line, support.bin, ... },
    { env = support.environment(home) }))
end

local function file(name, text)
  local path = home .. "/" .. name
  fs.remove(path)
  assert(fs.write(path, text, { mode = 0x180 }))
  return path
end

local function clone()
  local folder = support.folder() .. "/repo"
  assert(workspace.clone { repository = repo.url, ref = "production", folder = folder,
    rehearsal = true })
  return folder
end

-- How `bench` ends: it has a result, so its id shows in the exit code and the next step only.
local function bench(id, text)
  local folder = clone()
  assert(fs.write(folder .. "/train.py", text))
  local done = support.bittern(home, { "--coordinator", miner.url, "bench", "judged", "--workspace",
    folder })
  local next_step = "next: " .. errors.next(id)
  return done.status == errors.exit(id) and done.stderr:find(next_step, 1, true) and id
    or done.stderr
end

local function with_ledger(fn)
  local ledger <close> = assert(ledgers.open(support.folder() .. "/ledger.db"))
  return fn(ledger)
end

M.meet = {
  usage = command "no-such-command",
  no_score = function()
    return told(support.bittern(support.folder(), { "--json", "frontier" }))
  end,
  no_tests = function() return run("test", support.folder()) end,
  config = command("--root", "/nowhere", "version"),
  exists = function()
    support.bittern(home, { "new", "recipe", "little" })
    return run("new", "recipe", "little")
  end,
  address_in_use = function()
    return run("practice", "serve", "--state", support.folder(), "--port", miner.url:match "%d+$")
  end,
  not_installed = function()
    local path = package.path
    package.path = ""
    local _, _, id = require("bittern.testing.suite").ready()
    package.path = path
    return id
  end,
  script = function() return run("run", file("s.lua", "error 'x'")) end,
  script_limit = function()
    return id_of(sandbox.load(file("s.lua", "while true do end"), "while true do end",
      { seconds = 0.1 }))
  end,
  untrusted = function()
    return run("publish", home .. "/text", "--to", file("p.lua", "return { api = 1 }"))
  end,
  interrupted = function()
    return run("run", file("s.lua", "os.execute('(sleep 0.2; kill -INT ' .. "
      .. "require('core.sys').pid() .. ') &') while true do end"))
  end,
  disk_full = function()
    return shell('ulimit -f 200; exec "$0" --json pack "$1" --out "$2"', support.model,
      home .. "/full.zip")
  end,

  over_budget = command("compress", support.model, "--budget", "0.1", "--dry-run"),
  invalid_artifact = function()
    return run("inspect", small_model.write({ { name = "w.codes", dtype = "U8", shape = { 1, 1 },
      text = "\0" } }, { metadata = { format = "bittern", version = "1",
      plan = '{"w":{"codec":"b1","group":0,"rescued":0,"shape":[1,8]}}' } }))
  end,
  integrity = function() return run("verify", home .. "/text", "--sha256", ("ab"):rep(32)) end,
  invalid_json = function() return id_of(json.decode "{") end,
  too_large = function() return id_of(fs.read(home .. "/text", 1)) end,

  ambiguous = function()
    local task = { id = "1", slug = "a", task_state = "live", is_active = true }
    return id_of(require("bittern.task").find_live({ task, { id = "2", slug = "a",
      task_state = "live", is_active = true } }, "a"))
  end,
  not_live = command("task", "nobody-knows"),
  other_mode = command("ideas", BINARY),
  pending = function()
    local task = assert(alice:find(BINARY))
    local sent = assert(alice:submit(practice.submission(assert(alice:claim(task, "x")))))
    return mined("track", sent.id, "--timeout", "0")
  end,
  sidecar = function()
    return mined("submit", BINARY, "--submission", file("s.json", '{"summary": 3}'))
  end,
  stop = function()
    miner:run { "claim", BINARY }
    return mined("submit", BINARY, "--submission", file("s.json", json.encode { summary = "s",
      claimed_metrics = { heldout_ppl = 8.5 } }))
  end,
  claim_used = function()
    return with_ledger(function(ledger)
      local client = fake.new()
      local context = fake.context(client, ledger)
      assert(claims.take(context, { description = "d" }))
      client.submission_list = { { id = "s", task_id = "t", claim_id = "claim-1" } }
      assert(ledger:attempt(assert(ledger:intend { coordinator = client.base, hotkey = "5Me",
        kind = "submission", subject = "claim-1", task_id = "t", body = "{}" }).id))
      return id_of(claims.cancel(context, "claim-1", "t"))
    end)
  end,
  claim_gone = function()
    assert(fs.mkdir(home .. "/.config/bittern/publish"))
    assert(fs.write(home .. "/.config/bittern/publish/late.lua", ([[
      return { api = 1, about = "a claim ends while it works", publish = function(ctx, artifact)
        local db <close> = assert(require("core.store").open(%q))
        assert(db:query "UPDATE claim SET status = 'expired'")
        return require("bittern.script").find("publish", "practice").publish(ctx, artifact)
      end }]]):format(home .. "/coordinator/coordinator.db")))
    local argv = miner:arguments("tiny-ternary-frontier")
    for i, word in ipairs(argv) do if word == "practice" then argv[i] = "late" end end
    return mined(table.unpack(argv))
  end,
  unknown_outcome = function()
    return with_ledger(function(ledger)
      local function lost() return nil, "timed out", "timeout" end
      return id_of(once.send({ client = { base = "http://c" }, ledger = ledger, hotkey = "5Me",
        settle = 0.01, sleep = function() return true end },
        { kind = "evaluation", subject = "s", body = "{}", send = lost, look = lost }))
    end)
  end,

  agent = function()
    return id_of(agents.run { line = "exit 7", folder = support.folder(), environment = {},
      timeout = 20, beat = 1, clock = sys.clock, say = function() end })
  end,
  bench_rejected = function()
    return bench("bench_rejected", "echo validator_rejection=bad; exit 1\n")
  end,
  bench_error = function() return bench("bench_error", "exit 1\n") end,
  git = function()
    return id_of(workspace.clone { repository = repo.url, ref = "nowhere", rehearsal = true,
      folder = support.folder() .. "/repo" })
  end,
  no_checkout = function() return id_of(workspace.inspect(support.folder())) end,
  unpublished_commit = function()
    local folder = clone()
    repository.write(folder, { ["train.py"] = "x = 2\n" })
    repository.git(folder, "commit", "-qam", "local")
    return id_of(workspace.inspect(folder))
  end,
  patch_empty = function()
    return id_of(patch.build(clone(), { allowed_patch_paths = {}, max_patch_bytes = 100 }))
  end,
  patch = function()
    local folder = clone()
    repository.write(folder, { ["train.py"] = ("x = 2\n"):rep(100) })
    return id_of(patch.build(folder, { allowed_patch_paths = { "*" }, max_patch_bytes = 100 }))
  end,
}

return M
