-- The practice coordinator's routes, without HTTP: shapes, signatures, refusals.
local json = require "bittern.json"

local practice = require "tests.practice.support"

local alice, bob = practice.alice, practice.bob
local BINARY <const>, TERNARY <const> = "tiny-binary-frontier", "tiny-ternary-frontier"

describe("practice routes", function()
  local server

  before_each(function() server = practice.coordinator() end)
  after_each(function() server.db:close() end)

  local function submit(who, claim, extra)
    return server:call("POST", "/api/v1/submissions",
      { key = who, body = practice.submission(claim, extra) })
  end

  local function submitted(who, slug, extra)
    local status, record = submit(who, server:claim(who, server:task(slug)), extra)
    assert.equal(201, status, json.encode(record))
    return record
  end

  it("list two live tasks in the shape of production's", function()
    local status, tasks = server:call("GET", "/api/v1/tasks")
    assert.equal(200, status)
    assert.equal(2, #tasks)
    local task = tasks[1]
    assert.equal(BINARY, task.slug)
    assert.equal("standard", task.competition_mode)
    assert.equal("centerless", tasks[2].competition_mode)
    assert.truthy(task.id:find("^%x+%-%x+%-4%x%x%x%-[89ab]%x%x%x%-%x+$"))
    assert.equal("live", task.task_state)
    assert.is_true(task.is_active)
    assert.truthy(task.base_ref:find("^" .. ("%x"):rep(40) .. "$"))
    for _, hidden in ipairs {
      "submission_surface", "requires_submission_artifact", "required_submission_fields",
    } do assert.is_nil(task[hidden]) end
    local _, one = server:call("GET", "/api/v1/tasks/" .. task.id)
    assert.same(task, one)
  end)

  it("carry the guidance in onboard.md", function()
    for slug, expected in pairs {
      [BINARY] = { "artifact_sha256", "21/16 (1.3125)", "398454 bytes",
        "do not include `proposed_idea`" },
      [TERNARY] = { "`proposed_idea`", "implemented_submission_id", "177/80", "671679 bytes" },
    } do
      local status, text, response = server:call("GET", server:task(slug).onboard_path)
      assert.equal(200, status)
      assert.equal("text/markdown; charset=utf-8", response.headers["Content-Type"])
      for _, words in ipairs(expected) do assert.truthy(text:find(words, 1, true), words) end
      assert.is_nil(text:find("${", 1, true))
    end
  end)

  it("answer health, disclaimer, dashboard and the rest of the public ones", function()
    local healthy, health = server:call("GET", "/healthz")
    assert.same({ 200, { status = "ok" } }, { healthy, health })
    assert.equal(204, (server:call("GET", "/readyz")))
    assert.equal(405, (server:call("HEAD", "/readyz")))
    local _, disclaimer = server:call("GET", "/api/v1/disclaimer")
    assert.is_true(disclaimer.must_display)
    local _, dashboard, response = server:call("GET", "/api/v1/dashboard")
    assert.equal(2, dashboard.task_counts.live)
    assert.equal("no-store", response.headers["Cache-Control"])
    local _, snapshot = server:call("GET", "/api/v1/reward-snapshot")
    assert.equal(BINARY, snapshot.competitions[1].slug)
    for _, path in ipairs { "work-items", "claims", "verifications", "idea-rewards",
      "peer-evaluations" } do
      local status, _, answer = server:call("GET", "/api/v1/" .. path)
      assert.equal(200, status)
      assert.equal("[]", answer.body)
    end
  end)

  it("answer 404 and 405 as production does", function()
    assert.same({ detail = "Not Found" }, select(2, server:call("GET", "/api/v1/nothing")))
    assert.equal(404, (server:call("GET", "/api/v1/tasks/")))
    assert.equal(404, (server:call("GET", "/api/v1/tasks/x")))
    assert.equal(404, (server:call("GET", "/api/v1/tasks/x/best")))
    local status, value, response = server:call("DELETE", "/api/v1/submissions")
    assert.same({ 405, { detail = "Method Not Allowed" }, "GET, POST" },
      { status, value, response.headers.Allow })
  end)

  it("refuse what is not signed, or not rightly", function()
    local path = "/api/v1/submissions"
    assert.equal(401, (server:call("GET", path)))
    assert.equal(200, (server:call("GET", path, { key = alice })))
    assert.equal(200, (server:call("GET", path, { key = alice, query = "task_id=x&status=y" })))
    assert.equal(200, (server:call("GET", path, { key = alice, now = practice.NOW - 300 })))
    assert.equal(401, (server:call("GET", path, { key = alice, now = practice.NOW - 301 })))
    assert.equal(401, (server:call("GET", path, { key = alice, now = practice.NOW + 301 })))
    for _, header in ipairs { "x-hotkey", "x-timestamp", "x-signature" } do
      local status, value = server:call("GET", path, { key = alice,
        headers = { [header] = false } })
      assert.same({ 401, { detail = "missing auth headers" } }, { status, value })
    end
    assert.equal(401, (server:call("GET", path, { key = alice,
      headers = { ["x-hotkey"] = bob:address() } })))
    assert.equal(401, (server:call("GET", path,
      { key = alice, headers = { ["x-signature"] = ("0"):rep(128) } })))
  end)

  it("hash the canonical form of a body, not its spacing", function()
    local task = server:task(BINARY)
    local path = "/api/v1/tasks/" .. task.id .. "/claim"
    local body = { claim_description = "a", base_submission_id = json.null }
    local sent = '{ "claim_description" : "\\u0061",\n"base_submission_id":null}'
    assert.equal(201, (server:call("POST", path, { key = alice, body = body, sent = sent })))
    local other = '{"claim_description":"b","base_submission_id":null}'
    assert.equal(401, (server:call("POST", path, { key = alice, body = body, sent = other })))
  end)

  it("explain bodies that do not validate", function()
    local path = "/api/v1/tasks/" .. server:task(BINARY).id .. "/claim"
    local status, value = server:call("POST", path, { key = alice,
      body = { claim_description = 5 } })
    assert.equal(422, status)
    assert.same({ "body", "claim_description" }, value.detail[1].loc)
    assert.equal("string_type", value.detail[1].type)
    status, value = server:call("POST", path, { key = alice })
    assert.same({ 422, "missing" }, { status, value.detail[1].type })
    status, value = server:call("POST", path, { key = alice, body = json.array { 1 } })
    assert.same({ 422, "dict_type" }, { status, value.detail[1].type })
    status, value = server:call("POST", path, { key = alice, raw = "{" })
    assert.same({ 422, "json_invalid" }, { status, value.detail[1].type })
    status, value = server:call("POST", "/api/v1/submissions", { key = alice, body = {
      claim_id = "x", base_ref = "y", summary = ("s"):rep(8001), claimed_metrics = { a = "b" },
      artifact_size_bytes = 1.5,
    } })
    assert.equal(422, status)
    assert.equal(3, #value.detail)
  end)

  it("give, list and cancel claims", function()
    local task = server:task(BINARY)
    local claim = server:claim(alice, task)
    assert.equal("active", claim.status)
    assert.equal(alice:address(), claim.miner_hotkey)
    local _, list = server:call("GET", "/api/v1/claims", { query = "task_id=" .. task.id
      .. "&status=active" })
    assert.same({ claim }, list)
    local path = "/api/v1/claims/" .. claim.id .. "/cancel"
    assert.equal(403, (server:call("POST", path, { key = bob })))
    local status, cancelled = server:call("POST", path, { key = alice })
    assert.same({ 200, "cancelled" }, { status, cancelled.status })
    assert.equal(409, (server:call("POST", path, { key = alice })))
    assert.equal(404, (server:call("POST", "/api/v1/claims/none/cancel", { key = alice })))
    assert.equal(404, (server:call("POST", "/api/v1/tasks/none/claim",
      { key = alice, body = { claim_description = "x" } })))
    assert.equal(404, (server:call("POST", "/api/v1/tasks/" .. task.id .. "/claim",
      { key = alice, body = { claim_description = "x", base_submission_id = "none" } })))
  end)

  it("store a submission exactly, once for a claim", function()
    local claim = server:claim(alice, server:task(BINARY))
    local status, record, response = submit(alice, claim)
    assert.equal(201, status)
    assert.equal("pending_verification", record.status)
    assert.truthy(response.body:find('"heldout_ppl":3.0', 1, true))
    assert.truthy(response.body:find('"tiny":1e-05', 1, true))
    assert.truthy(response.body:find('"observed_metrics":null', 1, true))
    local again, refusal = submit(alice, claim)
    assert.same({ 409, { detail = "claim is not active: completed" } }, { again, refusal })
    local _, list = server:call("GET", "/api/v1/submissions",
      { key = bob, query = "task_id=" .. record.task_id })
    assert.same({ record }, list)
    local _, claims = server:call("GET", "/api/v1/claims", { query = "status=completed" })
    assert.equal(claim.id, claims[1].id)
    local _, detail = server:call("GET", "/api/v1/submissions/" .. record.id .. "/detail",
      { key = alice })
    assert.same(record, detail.submission)
    assert.equal("heldout_ppl", detail.metric_name)
    assert.equal(401, (server:call("GET", "/api/v1/submissions/" .. record.id .. "/detail")))
    assert.equal(404, (server:call("GET", "/api/v1/submissions/none", { key = alice })))
    local moved, _, redirect = server:call("GET", "/api/v1/submissions/" .. record.id
      .. "/artifact", { key = bob })
    assert.same({ 307, "https://files.example.org/a.zip" }, { moved, redirect.headers.Location })
  end)

  it("refuse a submission for another's, a cancelled or no claim, and keep the claim", function()
    local claim = server:claim(alice, server:task(BINARY))
    assert.equal(403, (submit(bob, claim)))
    assert.equal(404, (submit(alice, { id = "none" })))
    assert.equal(400, (submit(alice, claim, { artifact_uri = "" })))
    assert.equal(201, (submit(alice, claim)))
    local second = server:claim(alice, server:task(BINARY))
    server:call("POST", "/api/v1/claims/" .. second.id .. "/cancel", { key = alice })
    assert.equal(409, (submit(alice, second)))
  end)

  it("enforce the mode's own rules", function()
    local claim = server:claim(alice, server:task(BINARY))
    local status, value = submit(alice, claim, { proposed_idea = "x" })
    assert.equal(400, status)
    assert.truthy(value.detail:find("proposed_idea", 1, true))
    status = submit(alice, claim, { artifact_uri = "http://files.example.org/a.zip" })
    assert.equal(400, status)

    claim = server:claim(alice, server:task(TERNARY))
    status, value = submit(alice, claim)
    assert.same({ 400, "proposed_idea is blank" }, { status, value.detail })
    local _, first = submit(alice, claim, { proposed_idea = "rescue rows" })
    claim = server:claim(bob, server:task(TERNARY))
    assert.equal(400, (submit(bob, claim, { proposed_idea = "more" })))
    assert.equal(201, (submit(bob, claim, { proposed_idea = "more",
      implemented_submission_id = first.id })))
  end)

  it("refuse claims and submissions while a task is paused", function()
    local task_store = require "bittern.practice.task_store"
    local task = server:task(BINARY)
    local claim = server:claim(alice, task)
    assert(task_store.set_state(server.db, "slug", BINARY, "paused", practice.NOW))
    assert.is_false(server:task(BINARY).is_active)
    assert.equal(409, (submit(alice, claim)))
    assert.equal(409, (server:call("POST", "/api/v1/tasks/" .. task.id .. "/claim",
      { key = alice, body = { claim_description = "x" } })))
    assert(task_store.set_state(server.db, "slug", BINARY, "live", practice.NOW))
    assert.equal(201, (submit(alice, claim)))
    assert.equal("not_found", select(3, task_store.set_state(server.db, "slug", "none",
      "live", practice.NOW)))
  end)

  describe("for validators", function()
    local validator = practice.validator
    local SCAN <const> = "/api/v1/validator/submissions/scan"

    local function jobs()
      local status, value = server:call("POST", SCAN, { key = validator })
      assert.equal(200, status)
      return value.jobs
    end

    local function finish(job, status, metrics, who)
      return server:call("POST", "/api/v1/validator/jobs/" .. job.job_id .. "/result", {
        key = who or validator, body = {
          submission_id = job.submission_id, status = status, observed_metrics = metrics or {},
          notes = "as measured",
        },
      })
    end

    local function best()
      local _, value = server:call("GET", "/api/v1/tasks/" .. server:task(BINARY).id .. "/best")
      return value
    end

    it("hand jobs to listed validators only, the same until a result is in", function()
      local record = submitted(alice, BINARY)
      assert.equal(403, (server:call("POST", SCAN, { key = alice })))
      assert.equal(401, (server:call("POST", SCAN)))
      local first, second = jobs(), jobs()
      assert.equal(1, #first)
      assert.same(first, second)
      assert.same(record, first[1].submission)
      assert.equal("heldout_ppl", first[1].replay_spec.metric_name)
      assert.same({ AUTORESEARCH_REQUIRE_SUBMISSION_ARTIFACT = "1" },
        first[1].replay_spec.validator_benchmark_env)
      local status, one = server:call("POST", "/api/v1/validator/jobs/claim", { key = validator })
      assert.same({ 200, first[1].job_id }, { status, one.job_id })
      local _, other = server:call("POST", SCAN, { key = validator,
        body = { task_id = server:task(TERNARY).id } })
      assert.equal(0, #other.jobs)
    end)

    it("record a result once; the verification's id is the job's", function()
      local record = submitted(alice, BINARY)
      local job = jobs()[1]
      assert.equal(400, (finish(job, "accepted", { other = 1.0 })))
      assert.equal(422, (finish(job, "maybe", {})))
      assert.equal(403, (finish(job, "accepted", { heldout_ppl = 1.0 }, alice)))
      local status, verification = finish(job, "accepted", { heldout_ppl = 5.0 })
      assert.equal(200, status)
      assert.equal(job.job_id, verification.id)
      local _, again = finish(job, "rejected", {})
      assert.same(verification, again)
      local _, list = server:call("GET", "/api/v1/verifications", { query = "submission_id="
        .. record.id })
      assert.same({ verification }, list)
      local _, after = server:call("GET", "/api/v1/submissions/" .. record.id, { key = alice })
      assert.equal("accepted", after.status)
      assert.equal(5.0, after.observed_metrics.heldout_ppl)
      assert.same({}, jobs())
      status, verification = server:call("POST", "/api/v1/validator/jobs/claim",
        { key = validator })
      assert.same({ 404, { detail = "no pending validator jobs" } }, { status, verification })
      assert.equal(404, (finish({ job_id = "none", submission_id = "x" }, "error")))
    end)

    it("let the mode decide who becomes best", function()
      assert.equal(json.null, best())
      local function accepted(ppl, size)
        local record = submitted(alice, BINARY, { artifact_size_bytes = size })
        finish(jobs()[1], "accepted", { heldout_ppl = ppl })
        return record.id
      end
      local first = accepted(5.0, 1000)
      assert.equal(first, best().submission_id)
      assert.equal(5.0, best().metric_value)
      accepted(4.95, 1000)
      assert.equal(first, best().submission_id)
      local smaller = accepted(5.05, 999)
      assert.equal(smaller, best().submission_id)
      local better = accepted(4.0, 2000)
      assert.equal(better, best().submission_id)
      assert.equal(alice:address(), best().miner_hotkey)
      submitted(bob, BINARY)
      finish(jobs()[1], "rejected", {})
      assert.equal(better, best().submission_id)
      local _, snapshot = server:call("GET", "/api/v1/reward-snapshot")
      assert.same({ { hotkey = alice:address(), score = 5 } }, snapshot.competitions[1].miners)
    end)
  end)

  describe("of the file store", function()
    it("write once, read by anyone", function()
      local bytes = "PK\3\4\0\255"
      local status, file = server:call("PUT", "/files/a-1.zip", { key = alice, raw = bytes })
      assert.equal(201, status)
      assert.equal(6, file.size)
      assert.equal(200, (server:call("PUT", "/files/a-1.zip", { key = alice, raw = bytes })))
      assert.equal(409, (server:call("PUT", "/files/a-1.zip", { key = bob, raw = "other" })))
      assert.equal(401, (server:call("PUT", "/files/b.zip", { raw = bytes })))
      assert.equal(401, (server:call("PUT", "/files/b.zip", { key = alice, raw = bytes,
        sent = "x" })))
      local found, _, response = server:call("GET", "/files/a-1.zip")
      assert.same({ 200, bytes }, { found, require("core.fs").read(response.file) })
      assert.equal(404, (server:call("GET", "/files/b.zip")))
    end)

    it("refuse names that lead elsewhere", function()
      for _, name in ipairs { "..", ".hidden", "%2e%2e%2fcoordinator.db", "a%00b", "a%2Fb",
        ("x"):rep(129) } do
        assert.equal(400, (server:call("PUT", "/files/" .. name, { key = alice, raw = "x" })), name)
        assert.equal(404, (server:call("GET", "/files/" .. name)), name)
      end
      assert.equal(404, (server:call("PUT", "/files/a/b", { key = alice, raw = "x" })))
    end)
  end)
end)
