-- The practice coordinator's pages, in a real browser and as text.
local browser = require "tests.browser.browser"
local filled = require "tests.practice.filled"
local practice = require "tests.practice.support"
local serving = require "tests.practice.serving"
local support = require "tests.support"

local HOSTILE <const> = filled.HOSTILE

describe("the practice coordinator's pages", function()
  it("may do nothing but show themselves", function()
    local server, task, ids = filled.coordinator()
    for _, path in ipairs { "/dashboard", "/dashboard/tasks/" .. task.id,
      "/dashboard/submissions/" .. ids[4], "/dashboard/static/style.css",
      "/dashboard/static/live.js" } do
      local status, text, response = server:call("GET", path)
      assert.equal(200, status, path)
      assert.matches("default%-src 'none'; style%-src 'self'; script%-src 'self'",
        response.headers["Content-Security-Policy"])
      assert.equal("nosniff", response.headers["X-Content-Type-Options"])
      assert.is_nil(text:find("<script>", 1, true), path)
      assert.is_nil(text:find("style=", 1, true), path)
      assert.is_nil(text:find("onerror=\"", 1, true), path)
    end
    assert.equal(404, (server:call("GET", "/dashboard/static/other")))
    assert.equal(404, (server:call("GET", "/dashboard/tasks/none")))
  end)

  it("link to a repository that has an address, and only name one of this machine", function()
    local server = practice.coordinator()
    local function shown(repository)
      server:call("POST", "/api/v1/tasks", { headers = { ["x-admin-token"] = practice.ADMIN },
        body = practice.task { slug = "own-" .. #repository, repository = repository } })
      local task = server:task("own-" .. #repository)
      return select(2, server:call("GET", "/dashboard/tasks/" .. task.id))
    end
    assert.matches('href="https://example.org/own.git"', shown "https://example.org/own.git", 1,
      true)
    assert.matches("<code>/srv/own.git</code>", shown "/srv/own.git", 1, true)
  end)

  it("tell a submission's life", function()
    local server, _, ids = filled.coordinator()
    local _, text = server:call("GET", "/dashboard/submissions/" .. ids[4])
    local order = {}
    for title in text:gmatch "<b>(%u[^<]*)" do order[#order + 1] = title end
    assert.same({ "Claimed", "Submitted by ", "Validator ", "Accepted" }, order)
    assert.matches("the best of its task since", text)
    assert.matches('Measured">3.125<', text)
    local _, waiting = server:call("GET", "/dashboard/submissions/" .. ids[5])
    assert.matches("Waiting for a verdict", waiting)
  end)

  it("are used by mouse and keyboard, update by themselves, and suit eyes and telephones",
    function()
    local server, task, ids = filled.coordinator()
    server.db:close()
    local child, url = serving.start(server.dir, { "--no-validator" })
    local seen, why = browser.run("dashboard", { url = url, task = task.id, submission = ids[4],
      pause = { support.bin, "practice", "pause", task.slug, "--state", server.dir } })
    serving.stop(child)
    if not seen then return pending(why) end
    for name, one in pairs(seen.pages) do browser.judge(assert, name, one) end
    assert.same({}, seen.errors)
    assert.same({}, seen.foreign)
    assert.same({ "/dashboard", "main", 2, "/dashboard/tasks/" .. task.id,
      "/dashboard/submissions/" .. ids[4], true },
      { seen.start, seen.skipped, seen.onboarding, seen.task, seen.submission, seen.opened })
    assert.same({ "undefined", 0 }, seen.hacked)
    assert.truthy(seen.shown:find(HOSTILE, 1, true))
    assert.is_true(seen.live)
    assert.same({ true, true }, seen.kept)
    assert.same({ "held", "true" }, seen.held)
    assert.equal("Task not found", seen.missing)
  end)
end)
