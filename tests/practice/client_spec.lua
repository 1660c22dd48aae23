-- Every call of the client before a practice coordinator, and a task of one's own from its file to
-- an accepted submission.
local fs = require "core.fs"
local process = require "core.process"
local sys = require "core.sys"

local client_routes = require "bittern.coordinator.routes"
local coordinator = require "bittern.coordinator"
local http = require "bittern.http"
local json = require "bittern.json"
local validator_key = require "bittern.practice.validator_key"

local practice = require "tests.practice.support"
local repository = require "tests.repository"
local serving = require "tests.practice.serving"
local support = require "tests.support"

local alice = practice.alice

local PATCH <const> = "diff --git a/train.py b/train.py\n--- a/train.py\n+++ b/train.py\n"
  .. "@@ -1 +1 @@\n-one\n+two\n"

describe("the client and the practice coordinator", function()
  local dir, child, url

  -- A clock of its own signs each call as if a second had passed.
  local function client(key, asked)
    local transport = setmetatable({}, { __index = http })
    if asked then
      function transport.json(method, address, options)
        asked[#asked + 1] = method .. " " .. address:sub(#url + 1):gsub("%?.*", "")
        return http.json(method, address, options)
      end
      function transport.text(address, options)
        asked[#asked + 1] = "GET " .. address:sub(#url + 1)
        return http.text(address, options)
      end
    end
    return assert(coordinator.new { url = url, key = key, transport = transport })
  end

  before_each(function() dir = support.folder() end)
  after_each(function() serving.stop(child, 9) end)

  local function run(...)
    local done = support.bittern(dir, { "practice", ... })
    assert.equal(0, done.status, done.stderr)
    return done
  end

  it("understand each other in every route", function()
    child, url = serving.start(dir, { "--no-validator" })
    run("plan", "--state", dir)
    local asked = {}
    local c = client(alice, asked)
    local validator = client(assert(validator_key.load(dir)), asked)
    assert.equal("ok", c:health().status)
    assert.is_true(c:ready())
    assert.equal("3.1.0", c:openapi().openapi)
    assert.is_true(c:disclaimer().must_display)
    assert.matches("^# ", c:disclaimer_text())
    assert.equal(2, c:dashboard().task_counts.live)
    assert.is_false(c:onchain_status().configured)
    assert.equal(2, c:reward_snapshot().competition_count)
    local task = assert(c:find("tiny-binary-frontier"))
    assert.equal(task.id, c:task(task.id).id)
    assert.matches("^# ", c:onboard(task))
    assert.same({}, c:best(task))
    local claim = assert(c:claim(task, "first"))
    assert.equal("cancelled", c:cancel(claim.id).status)
    assert.equal(1, #c:claims { task_id = task.id, status = "cancelled" })
    local item = c:work_items { task_id = task.id, status = "open" }[1]
    local work = assert(c:claim_work_item(item))
    local sent = assert(c:submit(practice.submission(work, { execution_log = "a log" })))
    assert.equal("pending_verification", c:submission(sent.id).status)
    assert.equal(1, #c:submissions { task_id = task.id })
    assert.equal("heldout_ppl", c:detail(sent.id).metric_name)
    assert.equal("a log", c:execution_log(sent.id))
    assert.equal("https://files.example.org/a.zip", c:artifact(sent.id))
    assert.equal("conflict", select(3, c:peer_consensus(sent.id)))
    local verdict = { status = "accepted", observed_metrics = { heldout_ppl = 4.0 } }
    assert.equal("conflict", select(3, c:peer_evaluate(sent.id, verdict)))
    assert.same({}, c:peer_evaluations { submission_id = sent.id })
    assert.equal(1, #validator:scan_jobs())
    local job = validator:claim_job(task.id)
    assert.equal("server_error", select(3, validator:verify(sent.id, verdict)))
    verdict.submission_id = sent.id
    assert.equal(job.job_id, validator:job_result(job.job_id, verdict).id)
    assert.is_false(validator:claim_job())
    assert.equal("accepted", c:verifications(sent.id)[1].status)
    assert.equal(sent.id, c:best(task).submission_id)
    assert.same({}, c:idea_rewards { task_id = task.id })
    for name, route in pairs(client_routes) do
      local pattern = "^" .. (route[1] .. " " .. route[2]):gsub("[%-%.]", "%%%0")
        :gsub("{[%w_]+}", "[^/]+") .. "$"
      local met = false
      for _, text in ipairs(asked) do met = met or text:find(pattern) ~= nil end
      assert.is_true(met, name)
    end
  end)

  it("take a task of one's own from its file to an accepted submission", function()
    local repo = repository.make { ["train.py"] = "one\n" }
    local file = dir .. "/task.json"
    assert(fs.write(file, assert(json.encode(practice.task {
      slug = "speed", competition_mode = "standard", repository = repo.url,
      benchmark_command = "grep -q two train.py && echo kb=3", metric_name = "kb",
    }))))
    child, url = serving.start(dir, { "--task", file })
    local c = client(alice)
    local task = assert(c:find("speed"))
    local body = practice.submission(assert(c:claim(task, "x")), { patch = PATCH,
      artifact_uri = "", artifact_sha256 = "", artifact_size_bytes = "",
      claimed_metrics = { kb = 3 }, base_ref = repo.commit })
    local sent = assert(c:submit(body))
    local verification
    for _ = 1, 200 do
      verification = c:verifications(sent.id)[1]
      if verification and verification.status ~= "running" then break end
      sys.sleep(0.05)
    end
    assert.same({ "accepted", "Replay succeeded in host replay | exit=0" },
      { verification.status, verification.notes })
    assert.equal(3, c:best(task).metric_value)
  end)

  it("ask for stake where the switch is on, until the hotkey is funded", function()
    child, url = serving.start(dir, { "--no-validator", "--stake-gate" })
    local c = client(alice)
    local task = assert(c:find("tiny-binary-frontier"))
    assert.equal("stake", select(3, c:claim(task, "x")))
    run("fund", alice:address(), "--state", dir)
    assert.is_table(c:claim(task, "x"))
    local wrong = support.bittern(dir, { "practice", "fund", "me", "--state", dir })
    assert.equal(2, wrong.status)
  end)

  it("meet at the state's own folder when none is named", function()
    child = assert(process.spawn { argv = { support.bin, "practice", "--no-validator" },
      env = support.environment(dir), stdout = "pipe", stderr = "null" })
    local ready = assert(json.decode(assert(child:read_line(20))))
    assert.equal(dir .. "/.local/state/bittern/practice", ready.dir)
    assert.equal(tonumber("600", 8), fs.stat(ready.dir .. "/admin-token").mode)
    local planned = run("plan")
    assert.matches("4 work items planned", planned.stderr)
  end)

  it("does not read the state of another version", function()
    child, url = serving.start(dir, { "--no-validator" })
    serving.stop(child, 9)
    local db <close> = assert(require("core.store").open(dir .. "/coordinator.db"))
    assert(db:exec("PRAGMA user_version = 1"))
    local done = support.bittern(dir, { "practice", "plan", "--state", dir })
    assert.equal(3, done.status)
    assert.matches("another version of bittern made this state", done.stderr)
  end)
end)
