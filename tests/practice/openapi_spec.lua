-- openapi.json cannot say anything else than what the service does; and the service answers every
-- route of the client, with records of the kind that the client expects.
local client_routes = require "bittern.coordinator.routes"
local records = require "bittern.coordinator.records"
local routes = require "bittern.practice.routes"
local task_store = require "bittern.practice.task_store"

local practice = require "tests.practice.support"

describe("the practice coordinator's openapi.json", function()
  local server, document

  setup(function()
    server = practice.coordinator()
    document = select(2, server:call("GET", "/openapi.json"))
  end)
  teardown(function() server.db:close() end)

  it("names the routes that are dispatched, and no others", function()
    local left = {}
    for path, methods in pairs(document.paths) do
      for method in pairs(methods) do left[method:upper() .. " " .. path] = true end
    end
    for _, route in ipairs(routes.all()) do
      local name = route.method .. " " .. route.path
      assert.is_true(left[name], name)
      left[name] = nil
    end
    assert.same({}, left)
  end)

  it("names every placeholder and every filter", function()
    for _, route in ipairs(routes.all()) do
      local names = {}
      for name in route.path:gmatch("{([%w_]+)}") do names[#names + 1] = "path " .. name end
      for _, name in ipairs(route.query or {}) do names[#names + 1] = "query " .. name end
      local said = {}
      for i, parameter in ipairs(document.paths[route.path][route.method:lower()].parameters) do
        said[i] = parameter["in"] .. " " .. parameter.name
      end
      assert.same(names, said)
    end
  end)

  it("says what bodies must hold: each required field is missed when it is not there", function()
    local function schema_of(path, method)
      return document.paths[path][method].requestBody.content["application/json"].schema
    end
    local schema = schema_of("/api/v1/tasks", "post")
    local full = practice.task()
    assert.equal(#schema.required, 9)
    for _, name in ipairs(schema.required) do
      local body = {}
      for key, value in pairs(full) do body[key] = key ~= name and value or nil end
      local status, wrong = server:call("POST", "/api/v1/tasks",
        { body = body, headers = { ["x-admin-token"] = practice.ADMIN } })
      assert.same({ 422, "missing", { "body", name } },
        { status, wrong.detail[1].type, wrong.detail[1].loc })
    end
    assert.equal(8000, schema_of("/api/v1/submissions", "post").properties.summary.maxLength)
    assert.same({ "accepted", "rejected", "error" }, schema_of(
      "/api/v1/validator/jobs/{job_id}/result", "post").properties.status.enum)
  end)

  it("says who may call what", function()
    local claim = document.paths["/api/v1/tasks/{task_id}/claim"].post
    assert.same({ "miner", { hotkey = {}, timestamp = {}, signature = {} } },
      { claim["x-auth"], claim.security[1] })
    assert.is_nil(document.paths["/api/v1/tasks"].get.security)
    assert.equal("admin", document.paths["/api/v1/reward-policy"].put["x-auth"])
  end)

  it("lists every route of the client, with its method, answer and filters", function()
    local known = {}
    for _, route in ipairs(routes.all()) do
      known[route.method .. " " .. route.path:gsub("{[%w_]+}", "{}")] = route
    end
    for name, route in pairs(client_routes) do
      local there = known[route[1] .. " " .. route[2]:gsub("{[%w_]+}", "{}")]
      assert.is_table(there, name)
      assert.same(route.query or {}, there.query or {}, name)
      assert.equal(route.list or false, there.list or false, name)
      if route.answer then assert.equal(route.answer, there.answer, name) end
      if route.text then assert.is_true(there.answer == "text" or name == "artifact", name) end
      assert.equal(route.body or false, there.body ~= nil, name)
      assert.is_true(route[1] == "GET" or there.auth ~= nil, name)
      assert.equal(route.signed or false, route[1] == "GET" and there.auth ~= nil, name)
    end
  end)

  -- Fields that answers have and the schemas do not say, or say otherwise.
  local function strays(kind, value, where, found)
    for name, member in pairs(value) do
      local field = records.fields[kind][name]
      if not field then
        found[#found + 1] = where .. "." .. name
      elseif type(field) == "table" and field[1] then
        for _, item in ipairs(member) do strays(field[1], item, where .. "." .. name, found) end
      elseif type(field) == "table" then
        strays(next(field), member, where .. "." .. name, found)
      end
    end
    return found
  end

  it("describes the records that are answered", function()
    local warned = {}
    local function judge(kind, value)
      assert(records.shape(kind, value, function(text) warned[#warned + 1] = text end))
      return strays(kind, value, kind, {})
    end
    local task = task_store.row(server.db, server:task("tiny-binary-frontier").id)
    local claim = server:claim(practice.alice, task)
    local _, submission = server:call("POST", "/api/v1/submissions",
      { key = practice.alice, body = practice.submission(claim) })
    local _, jobs = server:call("POST", "/api/v1/validator/submissions/scan",
      { key = practice.validator })
    assert.same({}, judge("claim", claim))
    assert.same({}, judge("submission", submission))
    assert.same({}, judge("task", server:task("tiny-binary-frontier")))
    assert.same({}, judge("jobs", jobs))
    local _, verification = server:call("POST",
      "/api/v1/validator/jobs/" .. jobs.jobs[1].job_id .. "/result",
      { key = practice.validator, body = { submission_id = submission.id, status = "accepted",
        observed_metrics = { heldout_ppl = 4.0 }, notes = "x" } })
    assert.same({}, judge("verification", verification))
    for path, kind in pairs { ["/healthz"] = "health", ["/api/v1/disclaimer"] = "disclaimer",
      ["/api/v1/reward-snapshot"] = "reward_snapshot", ["/openapi.json"] = "openapi",
      ["/api/v1/tasks/" .. task.id .. "/best"] = "best" } do
      assert.same({}, judge(kind, select(2, server:call("GET", path))))
    end
    local _, detail = server:call("GET", "/api/v1/submissions/" .. submission.id .. "/detail",
      { key = practice.bob })
    assert.same({}, judge("detail", detail))
    assert.same({}, warned)
  end)

  it("has pages for people, whatever miners write", function()
    local hostile = "<script>alert(1)</script>"
    local claim = server:claim(practice.alice, server:task("tiny-binary-frontier"))
    local _, submission = server:call("POST", "/api/v1/submissions",
      { key = practice.alice, body = practice.submission(claim, { summary = hostile }) })
    local status, _, moved = server:call("GET", "/")
    assert.same({ 307, "/dashboard" }, { status, moved.headers.Location })
    for _, path in ipairs { "/dashboard", "/dashboard/tasks/" .. submission.task_id,
      "/dashboard/submissions/" .. submission.id } do
      local found, text = server:call("GET", path)
      assert.equal(200, found)
      assert.is_nil(text:find(hostile, 1, true))
      assert.truthy(text:find("</html>", 1, true))
    end
    assert.equal(404, (server:call("GET", "/dashboard/submissions/none")))
  end)
end)
