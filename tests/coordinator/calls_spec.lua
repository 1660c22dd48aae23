-- The calls of the client one by one, before a transport that answers from a list.
local sr25519 = require "core.sr25519"

local coordinator = require "bittern.coordinator"
local json = require "bittern.json"

local key = assert(sr25519.from_seed(("k"):rep(32)))

-- A client and what it asked; each answer is a value, or {refuse = code, status=, headers=}.
local function client(...)
  local asked, answers = {}, { ... }
  local function reply(method, url, options)
    asked[#asked + 1] = { method = method, url = url, body = options.body, options = options }
    local answer = answers[#asked] or answers[#answers]
    if type(answer) ~= "table" or not answer.refuse then return answer, { headers = {} } end
    return nil, answer.message or "refused", answer.refuse,
      { status = answer.status or 500, headers = answer.headers or {} }
  end
  local transport = { json = reply, text = function(url, o) return reply("GET", url, o) end }
  return assert(coordinator.new {
    url = "https://c.example.org", key = key, transport = transport, now = function() return 1 end,
  }), asked
end

local function path(request)
  return request.method .. " " .. request.url:sub(#"https://c.example.org" + 1)
end

describe("a coordinator's client", function()
  it("asks for the service's own records", function()
    local c, asked = client { status = "ok" }
    assert.same({ status = "ok" }, c:health())
    c:disclaimer()
    c:dashboard()
    c:onchain_status()
    c:reward_snapshot()
    c:openapi()
    local paths = {}
    for i, request in ipairs(asked) do paths[i] = path(request) end
    assert.same({ "GET /healthz", "GET /api/v1/disclaimer", "GET /api/v1/dashboard",
      "GET /api/v1/onchain/status", "GET /api/v1/reward-snapshot", "GET /openapi.json" }, paths)
    assert.is_true(client(json.null):ready())
    assert.equal("server_error", select(3, client({ refuse = "server_error" }):ready()))
    assert.equal("# text", client("# text"):disclaimer_text())
  end)

  it("filters by what a route knows, in the order that is signed", function()
    local c, asked = client {}
    c:work_items { status = "open", task_id = "t" }
    c:peer_evaluations { status = "accepted", evaluator_hotkey = "5A", submission_id = "s" }
    c:idea_rewards { implementer_hotkey = "5B" }
    c:verifications("s", "accepted")
    assert.equal("GET /api/v1/work-items?task_id=t&status=open", path(asked[1]))
    assert.equal("GET /api/v1/peer-evaluations?submission_id=s&evaluator_hotkey=5A"
      .. "&status=accepted", path(asked[2]))
    assert.equal("GET /api/v1/idea-rewards?implementer_hotkey=5B", path(asked[3]))
    assert.equal("GET /api/v1/verifications?submission_id=s&status=accepted", path(asked[4]))
    assert.has_error(function() c:claims { state = "active" } end)
  end)

  it("claims work items with an object, also with nothing to say", function()
    local c, asked = client { id = "c" }
    assert.equal("c", c:claim_work_item({ id = "w/1" }).id)
    assert.same({ "POST /api/v1/work-items/w%2F1/claim", "{}" }, { path(asked[1]), asked[1].body })
    c:claim_work_item("w", "mine")
    assert.equal('{"claim_description":"mine"}', asked[2].body)
  end)

  it("gives verdicts on peers, leaving out notes that say nothing", function()
    local c, asked = client { id = "e" }
    c:peer_evaluate("s", { status = "accepted", observed_metrics = { ppl = 4.0 }, notes = "" })
    assert.equal('{"observed_metrics":{"ppl":4.0},"status":"accepted"}', asked[1].body)
    assert.same({}, client({ refuse = "not_found" }):peer_consensus("s"))
    assert.same({}, client(json.null):peer_consensus("s"))
  end)

  it("takes the address of an artifact from the redirect, following none", function()
    local c, asked = client { refuse = "invalid_response", status = 307,
      headers = { location = "https://files.example.org/a.zip" } }
    assert.equal("https://files.example.org/a.zip", c:artifact("s"))
    assert.equal(0, asked[1].options.redirects)
    c = client { refuse = "not_found", status = 404 }
    assert.equal("not_found", select(3, c:artifact("s")))
    assert.equal("invalid_response", select(3, client("bytes"):artifact "s"))
    assert.equal("log", client("log"):execution_log("s"))
  end)

  it("finds the best under whatever name", function()
    for _, answer in ipairs {
      { submission_id = "s", miner_hotkey = "5A" }, { id = "s", miner_hotkey = "5A" },
      { submission = { id = "s", miner_hotkey = "5A", status = "accepted" } },
    } do
      local best = client(answer):best("t")
      assert.same({ "s", "5A" }, { best.submission_id, best.miner_hotkey })
    end
    assert.is_nil(next(client(json.null):best("t")))
  end)

  it("shows a task of any state by its id", function()
    local task = client({ id = "t", slug = "a", task_state = "closed" }):task("t")
    assert.same({ "closed", "standard" }, { task.task_state, task.competition_mode })
    local none, message, code = client({ id = "t" }):task("t")
    assert.is_nil(none)
    assert.same({ "/api/v1/tasks/t has no slug", "invalid_response" }, { message, code })
  end)

  it("knows jobs bare, wrapped and in the words for none", function()
    local job = { job_id = "j", submission = { id = "s" } }
    assert.equal("j", client({ job = job }):claim_job("t").job_id)
    assert.equal("j", client({ id = "j" }):claim_job().job_id)
    for _, answer in ipairs { { status = "idle" }, { status = "empty" }, { job = json.null },
      { refuse = "not_found", message = "404 no pending validator jobs" } } do
      assert.is_false(client(answer):claim_job())
    end
    assert.equal("not_found",
      select(3, client({ refuse = "not_found", message = "404 Not Found" }):claim_job()))
    local c, asked = client { jobs = { job, { status = "none" } } }
    assert.equal(1, #c:scan_jobs())
    assert.is_nil(asked[1].body)
    c:scan_jobs("t")
    assert.equal('{"task_id":"t"}', asked[2].body)
    assert.same({}, client({ refuse = "not_found" }):scan_jobs())
    assert.same({}, client(json.null):scan_jobs())
  end)
end)
