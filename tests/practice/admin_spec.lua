-- The admin's routes and the planner's: tasks made, paused and closed, work planned and claimed.
local fs = require "core.fs"

local json = require "bittern.json"
local task_store = require "bittern.practice.task_store"

local practice = require "tests.practice.support"

local alice, bob = practice.alice, practice.bob

describe("the practice admin", function()
  local server

  before_each(function() server = practice.coordinator() end)
  after_each(function() server.db:close() end)

  local function admin(method, path, body)
    return server:call(method, "/api/v1" .. path,
      { body = body, headers = { ["x-admin-token"] = practice.ADMIN } })
  end

  it("creates tasks with the contract's defaults, hiding what validators know", function()
    local status, task = admin("POST", "/tasks", practice.task {
      validator_benchmark_env = { SECRET = "rotation" }, brief = "Compress.",
    })
    assert.equal(201, status)
    assert.same({ "centerless", "scalar", 1, 262144, "live" }, { task.competition_mode,
      task.ranking_mode, task.min_peer_evaluations, task.max_patch_bytes, task.task_state })
    local listed, _, response = server:call("GET", "/api/v1/tasks/" .. task.id)
    assert.equal(200, listed)
    assert.is_nil(response.body:find("rotation", 1, true))
    local _, page = server:call("GET", task.onboard_path)
    assert.matches("^# A task of one's own\n\nCompress%.\n", page)
    local taken, refusal = admin("POST", "/tasks", practice.task())
    assert.same({ 409, "slug is taken: own-task" }, { taken, refusal.detail })
  end)

  it("hands validators the environment of a task", function()
    local _, task = admin("POST", "/tasks", practice.task {
      competition_mode = "standard", validator_benchmark_env = { KEY = "value" },
    })
    local claim = server:claim(alice, task)
    assert.equal(201, (server:call("POST", "/api/v1/submissions",
      { key = alice, body = practice.submission(claim) })))
    local _, found = server:call("POST", "/api/v1/validator/submissions/scan",
      { key = practice.validator, body = { task_id = task.id } })
    assert.same({ KEY = "value" }, found.jobs[1].replay_spec.validator_benchmark_env)
  end)

  it("lets a task set its mode's arguments, and nothing else", function()
    local status, task = admin("POST", "/tasks", practice.task {
      competition_mode = "standard", mode_args = { anchor = "first", band = "0.1" } })
    assert.same({ 201, "first" }, { status, task.mode_args.anchor })
    local refused, wrong = admin("POST", "/tasks", practice.task {
      slug = "other", competition_mode = "standard", mode_args = { anchor = "third" } })
    assert.same({ 400, "mode_args: argument 'anchor' must be one of current, first" },
      { refused, wrong.detail })
    -- With an anchor a chain of smaller models cannot drift away from what won.
    local function accepted(ppl, size)
      local _, record = server:call("POST", "/api/v1/submissions", { key = alice,
        body = practice.submission(server:claim(alice, task), { artifact_size_bytes = size }) })
      local _, job = server:call("POST", "/api/v1/validator/jobs/claim",
        { key = practice.validator })
      server:call("POST", "/api/v1/validator/jobs/" .. job.job_id .. "/result", {
        key = practice.validator, body = { submission_id = record.id, status = "accepted",
          observed_metrics = { heldout_ppl = ppl } } })
      local _, best = server:call("GET", "/api/v1/tasks/" .. task.id .. "/best")
      return best.metric_value
    end
    assert.same({ 10.0, 10.8, 10.8, 8.0 }, { accepted(10.0, 900), accepted(10.8, 800),
      accepted(11.6, 700), accepted(8.0, 900) })
  end)

  it("refuses tasks that break the contract's limits", function()
    for name, value in pairs {
      slug = "ab", title = ("t"):rep(256), brief = ("b"):rep(20001), metric_direction = "up",
      onboard_md = ("o"):rep(40001), allowed_patch_paths = json.array {},
      time_budget_seconds = 86401, min_peer_evaluations = 21, ranking_mode = "best",
      validator_benchmark_env = { A = 1 },
    } do
      local status, wrong = admin("POST", "/tasks", practice.task { [name] = value })
      assert.equal(422, status, name)
      assert.same({ "body", name }, wrong.detail[1].loc)
    end
    local many = json.array {}
    for i = 1, 65 do many[i] = "p" .. i end
    assert.equal(422, (admin("POST", "/tasks", practice.task { allowed_patch_paths = many })))
  end)

  it("pauses, resumes and closes", function()
    local id = server:task("tiny-binary-frontier").id
    for action, state in pairs { pause = "paused", resume = "live", close = "closed" } do
      local status, task = admin("POST", "/tasks/" .. id .. "/" .. action)
      assert.same({ 200, state }, { status, task.task_state })
    end
    assert.equal(404, (admin("POST", "/tasks/none/pause")))
  end)

  it("takes tasks from files, again when they changed, with id and state kept", function()
    local path = server.dir .. "/task.json"
    assert(fs.write(path, assert(json.encode(practice.task()))))
    assert(task_store.add_file(server.db, path, practice.NOW))
    local first = server:task("own-task")
    admin("POST", "/tasks/" .. first.id .. "/pause")
    assert(fs.write(path, assert(json.encode(practice.task { title = "Another" }))))
    assert(task_store.add_file(server.db, path, practice.NOW))
    local second = server:task("own-task")
    assert.same({ first.id, "Another", "paused" }, { second.id, second.title, second.task_state })
    for text, message in pairs {
      ["{"] = "task.json: 1:2: ", ['{"slug":"own-task"}'] = "task.json: title: Field required",
      ["[]"] = "task.json: task: Input should be a valid dictionary",
    } do
      assert(fs.write(path, text))
      local none, why, code = task_store.add_file(server.db, path, practice.NOW)
      assert.is_nil(none)
      assert.truthy(why:find(message, 1, true), why)
      assert.equal("config", code)
    end
  end)

  describe("plans work", function()
    local function plan() return select(2, admin("POST", "/planner/run")).created end

    local function items(status)
      local _, list = server:call("GET", "/api/v1/work-items", { query = "status=" .. status })
      return list
    end

    local function take(who, item)
      return server:call("POST", "/api/v1/work-items/" .. item.id .. "/claim",
        { key = who, body = {} })
    end

    it("once for each thing, for live tasks", function()
      admin("POST", "/tasks/" .. server:task("tiny-ternary-frontier").id .. "/pause")
      local first = plan()
      assert.equal(2, #first)
      assert.same({ "baseline", 100, "open" },
        { first[1].kind, first[1].priority, first[1].status })
      assert.is_nil(first[2].priority)
      assert.equal(0, #plan())
      assert.equal(0, #select(2, admin("POST", "/planner/run-agentic")).created)
      assert.same(first, items("open"))
    end)

    it("that one miner claims, resumes, gives back and completes", function()
      local item = plan()[1]
      local status, claim = take(alice, item)
      assert.same({ 201, item.id, item.title },
        { status, claim.work_item_id, claim.claim_description })
      assert.equal(claim.id, items("claimed")[1].claim_id)
      assert.equal(409, (take(bob, item)))
      local again, same = take(alice, item)
      assert.same({ 200, claim.id }, { again, same.id })
      server:call("POST", "/api/v1/claims/" .. claim.id .. "/cancel", { key = alice })
      assert.equal(0, #items("claimed"))
      local _, other = take(bob, item)
      assert.equal(201, (server:call("POST", "/api/v1/submissions",
        { key = bob, body = practice.submission(other) })))
      assert.equal(item.id, items("completed")[1].id)
      assert.equal(409, (take(bob, item)))
      assert.equal(404, (take(bob, { id = "none" })))
    end)
  end)
end)
