-- A coordinator's description against the client's own table.
local drift = require "bittern.coordinator.drift"

local practice = require "tests.practice.support"

describe("a coordinator's openapi.json", function()
  local document

  before_each(function()
    local server = practice.coordinator()
    document = select(2, server:call("GET", "/openapi.json"))
    server.db:close()
  end)

  it("differs in nothing when the practice coordinator wrote it, but for the admin's", function()
    local missing, new = drift.compare(document)
    assert.same({}, missing)
    assert.equal("GET /api/v1/reward-policy", new[1])
    for _, name in ipairs(new) do
      local method, path = name:match("^(%S+) (.*)$")
      for there, item in pairs(document.paths) do
        local operation = there:gsub("{[^}]*}", "{}") == path and item[method:lower()]
        if operation then assert.equal("admin", operation["x-auth"], name) end
      end
    end
  end)

  it("is told of by route, filter and body", function()
    document.paths["/healthz"] = nil
    document.paths["/api/v1/claims"].get.parameters = nil
    document.paths["/api/v1/submissions"].post.requestBody = nil
    document.paths["/api/v1/claims/{claim_id}/cancel"].post.requestBody = { required = true }
    document.paths["/api/v1/sota/{x}"] = { get = {}, summary = "words", parameters = {} }
    local missing, new = drift.compare(document)
    assert.same({
      "GET /api/v1/claims has no filter 'status'", "GET /api/v1/claims has no filter 'task_id'",
      "GET /healthz is not there", "POST /api/v1/claims/{}/cancel wants a body",
      "POST /api/v1/submissions takes no body",
    }, missing)
    assert.truthy((" " .. table.concat(new, " ") .. " "):find(" GET /api/v1/sota/{} ", 1, true))
  end)

  it("may call placeholders what it likes, and put filters with the path", function()
    local claims = document.paths["/api/v1/claims"]
    claims.parameters, claims.get.parameters = claims.get.parameters, nil
    document.paths["/api/v1/tasks/{id}/best"] = document.paths["/api/v1/tasks/{task_id}/best"]
    document.paths["/api/v1/tasks/{task_id}/best"] = nil
    assert.same({}, (drift.compare(document)))
  end)

  it("may be nothing at all", function()
    local missing, new = drift.compare({})
    assert.is_true(#missing > 20)
    assert.same({}, new)
  end)
end)
