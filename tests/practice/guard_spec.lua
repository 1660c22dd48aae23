-- Who may call what: each signature once, stake where the switch is on, the admin's word.
local database = require "bittern.practice.database"

local practice = require "tests.practice.support"

local alice, bob = practice.alice, practice.bob

describe("the practice coordinator", function()
  local server

  after_each(function() server.db:close() end)

  it("refuses a replay, within the window and for its age after", function()
    server = practice.coordinator()
    local headers = server:sign("GET", "/api/v1/submissions", alice)
    local function ask()
      local status, value = server:call("GET", "/api/v1/submissions", { headers = headers })
      return { status, value.detail }
    end
    assert.same({ 200 }, ask())
    assert.same({ 401, "the signature was used before" }, ask())
    server.now = practice.NOW + 299
    assert.same({ 401, "the signature was used before" }, ask())
    headers["x-signature"] = headers["x-signature"]:upper()
    assert.same({ 401, "the signature was used before" }, ask())
    server.now = practice.NOW + 700
    assert.equal(401, ask()[1])
    assert.equal(200, (server:call("GET", "/api/v1/submissions", { key = alice })))
  end)

  it("asks miners for stake when the gate is up, and nobody else", function()
    server = practice.coordinator { stake_gate = true }
    local path = "/api/v1/tasks/" .. server:task("tiny-binary-frontier").id .. "/claim"
    local function claim(who)
      return server:call("POST", path, { key = who, body = { claim_description = "x" } })
    end
    local status, refusal = claim(alice)
    assert.equal(403, status)
    assert.equal("insufficient_miner_stake", refusal.detail.error)
    assert.equal(403, (server:call("POST", "/api/v1/submissions", { key = alice, body = {} })))
    assert.equal(200, (server:call("GET", "/api/v1/submissions", { key = alice })))
    assert(database.fund(server.db, alice:address()))
    assert.equal(201, (claim(alice)))
    assert.equal(403, (claim(bob)))
  end)

  it("wants the admin's word for the admin's routes", function()
    server = practice.coordinator()
    local function admin(method, path, body, word)
      return server:call(method, path,
        { body = body, headers = { ["x-admin-token"] = word or practice.ADMIN } })
    end
    for _, word in ipairs { "wrong", "" } do
      local status, value = admin("GET", "/api/v1/reward-policy", nil, word)
      assert.same({ 401, "invalid admin token" }, { status, value.detail })
    end
    assert.equal(401, (server:call("GET", "/api/v1/reward-policy")))
    local _, policy = admin("GET", "/api/v1/reward-policy")
    assert.equal("accepted_plus_best", policy.scoring_mode)
    assert.equal(200, (admin("PUT", "/api/v1/reward-policy", { scoring_mode = "best_only" })))
    _, policy = admin("GET", "/api/v1/reward-policy")
    assert.same({ scoring_mode = "best_only" }, policy)
  end)
end)
