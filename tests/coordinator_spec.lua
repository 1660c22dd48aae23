local sr25519 = require "core.sr25519"

local auth = require "bittern.auth"
local coordinator = require "bittern.coordinator"
local http = require "bittern.http"
local json = require "bittern.json"

local NOW <const> = 1781500000
local TASK <const> = { id = "t-1", slug = "a", task_state = "live", is_active = true }

-- A transport that answers from a list and remembers what it was asked. An answer is a value, or
-- {refuse = code}, and may carry headers.
local function transport(answers)
  local fake = { asked = {} }
  local function reply(method, url, options)
    local headers = options.headers
    if type(headers) == "function" then headers = headers() end
    fake.asked[#fake.asked + 1] = { method = method, url = url, headers = headers,
      options = options, body = options.body }
    local answer = answers[#fake.asked] or answers[#answers]
    local response = { headers = answer.headers or {} }
    if answer.refuse then return nil, "refused", answer.refuse, response end
    return answer.value, response
  end
  fake.json = reply
  function fake.text(url, options) return reply("GET", url, options) end
  return fake
end

local function value(v, headers) return { value = v, headers = headers } end

-- A client before that transport; what it warned of stands in `warned`.
local function client(answers, options)
  local warned, fake = {}, transport(answers)
  local all = { url = "https://c.example.org", now = function() return NOW end, transport = fake,
    warn = function(text) warned[#warned + 1] = text end }
  for key, option in pairs(options or {}) do all[key] = option end
  return assert(coordinator.new(all)), fake.asked, warned
end

local function key() return assert(sr25519.from_seed(("k"):rep(32))) end

-- Judges the headers of a request as a coordinator does.
local function signer_of(request, path, query)
  local headers = {}
  for _, line in ipairs(request.headers) do
    local name, text = line:match("^(.-): (.*)$")
    headers[name:lower()] = text
  end
  return auth.verify { method = request.method, path = path, query = query, headers = headers,
    body = request.body, now = NOW }
end

describe("bittern.coordinator", function()
  it("joins base and path without a double slash, and signs without the prefix", function()
    for base, url in pairs {
      ["https://c.example.org/"] = "https://c.example.org/api/v1/submissions",
      ["https://c.example.org/pre//"] = "https://c.example.org/pre/api/v1/submissions",
    } do
      local k = key()
      local c, asked = client({ value {} }, { url = base, key = k })
      assert.same({}, c:submissions { task_id = "t-1", status = "x y" })
      assert.equal(url .. "?task_id=t-1&status=x+y", asked[1].url)
      local query = "task_id=t-1&status=x+y"
      assert.equal(k:address(), signer_of(asked[1], "/api/v1/submissions", query))
      assert.equal(k:address(), c.address)
    end
  end)

  it("refuses addresses that are none", function()
    for _, url in ipairs { "bitsota.com", "ftp://x/", "https://u:p@x/", "https://x/?a=1" } do
      local none, message, code = coordinator.new { url = url }
      assert.is_nil(none)
      assert.is_string(message)
      assert.equal("config", code)
    end
  end)

  it("takes null, nothing and numbers for ids as servers send them", function()
    assert.same({}, client({ value(json.null) }):tasks())
    assert.same({}, client({ value(json.null) }):claims {})
    assert.same({}, client({ value(json.null) }):best(TASK))
    assert.same({}, client({ { refuse = "not_found" } }):best(TASK))
    local c = client { value { { id = 7, task_id = 8, miner_hotkey = "5", base = json.null } } }
    assert.same({ { id = "7", task_id = "8", miner_hotkey = "5" } }, c:claims {})
  end)

  it("leaves out a broken task with a warning that names it, and keeps the rest", function()
    local broken = { id = 7, task_state = "live" }
    local c, _, warned = client { value { broken, "x", { slug = "b" }, TASK } }
    local tasks = assert(c:tasks())
    assert.equal(1, #tasks)
    assert.equal("a", tasks[1].slug)
    assert.same({
      "the coordinator's task 1 (7) has no slug; left out",
      "the coordinator's task 2 is a string, not an object; left out",
      "the coordinator's task 3 (b) has no id; left out",
    }, warned)
  end)

  it("says what an answer is when it is not what it should be", function()
    local none, message, code = client({ value { detail = "x" } }):tasks()
    assert.is_nil(none)
    assert.equal("/api/v1/tasks answered an object, not an array", message)
    assert.equal("invalid_response", code)
    message = select(2, client({ value("x") }):verifications("s"))
    assert.equal("/api/v1/verifications answered a string, not an array", message)
    message = select(2, client({ value { 1 } }):submission("s"))
    assert.equal("/api/v1/submissions/s answered no object", message)
    message = select(2, client({ value(" <!DOCTYPE html>") }):onboard(TASK))
    assert.equal("/api/v1/tasks/t-1/onboard.md answered HTML, not markdown", message)
  end)

  it("fetches onboarding at the server's own path when that is one", function()
    for path, wanted in pairs {
      ["/api/v1/tasks/9/onboard.md"] = "/api/v1/tasks/9/onboard.md",
      ["//evil.example.org/x"] = "/api/v1/tasks/t-1/onboard.md",
      ["https://evil.example.org/x"] = "/api/v1/tasks/t-1/onboard.md",
      ["/x?y"] = "/api/v1/tasks/t-1/onboard.md",
    } do
      local c, asked = client { value("# text") }
      assert.equal("# text", c:onboard { id = "t-1", onboard_path = path })
      assert.equal("https://c.example.org" .. wanted, asked[1].url)
    end
  end)

  it("signs lists of submissions, and public routes when the server wants it", function()
    local k = key()
    local c, asked = client({ value {} }, { key = k })
    c:tasks()
    assert.same({}, asked[1].headers)
    c:detail("s")
    assert.equal(k:address(), signer_of(asked[2], "/api/v1/submissions/s/detail", ""))
    c, asked = client({ { refuse = "unauthorized" }, value {} }, { key = k })
    assert.same({}, c:claims { status = "active" })
    assert.equal(k:address(), signer_of(asked[2], "/api/v1/claims", "status=active"))
    assert.equal(0, asked[2].options.redirects)
  end)

  it("says that a hotkey is missing, or that the clock may be why", function()
    local none, message, code = client({ { refuse = "unauthorized" } }):submissions {}
    assert.is_nil(none)
    assert.equal("refused; name a hotkey to sign with", message)
    assert.equal("key_missing", code)
    local late = { date = "Mon, 15 Jun 2026 05:07:50 GMT" }
    local c = client({ { refuse = "unauthorized", headers = late } }, { key = key() })
    message = select(2, c:submissions {})
    assert.equal("refused; this machine's clock is 70 s behind the coordinator's, which would "
      .. "refuse signatures beyond 300 s; set the clock (timedatectl set-ntp true)", message)
    code = select(3, client({ value {} }):claim(TASK, "x"))
    assert.equal("key", code)
  end)

  it("warns once of a clock that is over 30 s off", function()
    assert.equal(NOW, http.date("Mon, 15 Jun 2026 05:06:40 GMT"))
    local c, _, warned = client { value({}, { date = "Mon, 15 Jun 2026 05:05:00 GMT" }) }
    c:tasks()
    c:tasks()
    assert.equal(1, #warned)
    assert.matches("clock is 100 s ahead of the coordinator's, which would refuse", warned[1])
    c, _, warned = client { value({}, { date = "Mon, 15 Jun 2026 05:12:00 GMT" }) }
    c:tasks()
    assert.matches("320 s behind the coordinator's, which refuses signatures beyond 300 s; set the "
      .. "clock (timedatectl set-ntp true)", warned[1], 1, true)
    c, _, warned = client { value({}, { date = "Mon, 15 Jun 2026 05:07:09 GMT" }) }
    c:tasks()
    assert.same({}, warned)
    -- A cache says how long it had the answer.
    local kept = { date = "Mon, 15 Jun 2026 05:00:00 GMT", age = "398" }
    c, _, warned = client { value({}, kept) }
    c:tasks()
    assert.same({}, warned)
  end)

  it("signs every attempt of a GET afresh", function()
    local clock = NOW
    local c, asked = client({ value {} }, { key = key(), now = function() return clock end })
    c:submissions {}
    local headers = asked[1].options.headers
    for _, later in ipairs { 5, 90 } do
      clock = NOW + later
      assert.equal(("X-Timestamp: %d"):format(clock), headers()[2])
    end
    assert.is_table(asked[1].options.retry)
  end)

  it("claims with the canonical bytes that are signed, leaving out what is empty", function()
    local k = key()
    local c, asked = client({ value { id = 3, status = "active" } }, { key = k })
    assert.equal("3", c:claim(TASK, "na\u{ef}ve").id)
    assert.equal('{"claim_description":"na\\u00efve"}', asked[1].body)
    assert.is_nil(asked[1].options.retry)
    assert.equal(k:address(), signer_of(asked[1], "/api/v1/tasks/t-1/claim", ""))
    c:claim(TASK, "x", "s-1")
    assert.equal('{"base_submission_id":"s-1","claim_description":"x"}', asked[2].body)
  end)

  it("cancels without a body, and keeps odd ids inside their part of the path", function()
    local k = key()
    local c, asked = client({ value(json.null) }, { key = k })
    assert.same({}, c:cancel("c/../1"))
    assert.is_nil(asked[1].body)
    assert.equal("https://c.example.org/api/v1/claims/c%2F..%2F1/cancel", asked[1].url)
    assert.equal(k:address(), signer_of(asked[1], "/api/v1/claims/c%2F..%2F1/cancel", ""))
  end)

  it("knows when a POST may have been carried out", function()
    for code, wanted in pairs {
      timeout = "unknown_outcome", network = "unknown_outcome",
      invalid_response = "unknown_outcome", too_large = "unknown_outcome",
      unreachable = "unreachable", stake = "stake", rejected = "rejected", conflict = "conflict",
    } do
      local c = client({ { refuse = code } }, { key = key() })
      assert.equal(wanted, (select(3, c:submit { summary = "x" })))
    end
    local c = client({ value(json.null) }, { key = key() })
    local none, message, code = c:submit { summary = "x" }
    assert.is_nil(none)
    assert.equal("unknown_outcome", code)
    assert.matches("named no id", message)
    code = select(3, c:submit { claimed_metrics = { heldout_ppl = 0 / 0 } })
    assert.equal("invalid_json", code)
  end)

  it("finds the live task only", function()
    local paused = { id = "t-2", slug = "b", task_state = "paused", is_active = true }
    local c = client { value { TASK, paused } }
    assert.equal("t-1", c:find(" A ").id)
    local none, message, code = c:find("b")
    assert.is_nil(none)
    assert.equal("task 'b' is paused; live now: a", message)
    assert.equal("not_live", code)
  end)
end)
