-- `bittern dashboard`, against the practice coordinator and against records of any shape.
local browser = require "tests.browser.browser"
local dashboard = require "bittern.pictures.dashboard"
local filled = require "tests.practice.filled"
local fs = require "core.fs"
local json = require "bittern.json"
local serving = require "tests.practice.serving"
local support = require "tests.support"

local HOSTILE <const> = "\27[31m" .. filled.HOSTILE .. "\n"

-- A client that answers what it is told to.
local function client(answers)
  local fake = { base = "https://coordinator.example" }
  for _, name in ipairs { "tasks", "dashboard", "reward_snapshot", "disclaimer", "best" } do
    fake[name] = function()
      local answer = answers[name]
      if type(answer) == "string" then return nil, "it says " .. answer, answer end
      return answer or {}
    end
  end
  return fake
end

local hostile = {
  tasks = { { id = '"><script>', slug = HOSTILE, title = HOSTILE, task_state = HOSTILE,
    is_active = true, competition_mode = HOSTILE, metric_name = HOSTILE,
    onboard_path = "javascript:window.hacked=1" }, { id = "t", slug = "plain", is_active = true } },
  dashboard = { [HOSTILE] = { [HOSTILE] = 3 }, submissions = { accepted = 2.5 } },
  reward_snapshot = { competitions = { { slug = HOSTILE, miners = {
    { hotkey = HOSTILE, score = 2 }, { score = "many" } } } } },
  disclaimer = { must_display = true, summary = HOSTILE }, best = { metric_value = 2 },
}

describe("bittern dashboard", function()
  it("shows tasks, pipeline and leaders in the terminal, as JSON and as a page", function()
    local server, task, ids = filled.coordinator()
    server.db:close()
    local home, child, url = support.folder(), serving.start(server.dir, { "--no-validator" })
    local function run(...)
      local done = support.bittern(home, { "dashboard", ... },
        { env = { BITSOTA_COORDINATOR_URL = url } })
      assert.equal(0, done.status, done.stderr)
      return done
    end
    local text = run().stdout
    for _, words in ipairs { "tiny%-binary%-frontier +standard +live +heldout_ppl +3.125",
      "submissions accepted +%S+ +3\n",
      "1  5CfCr47V5Dte6bwxNBE8K9oNnQd9fiay6aDEEkgYtFv7w4Fq +3\n" } do
      assert.matches(words, text)
    end
    for line in text:gmatch "[^\n]+" do assert.is_true(utf8.len(line) <= 80, line) end
    assert.is_nil(run("--top", "1").stdout:find "\n2  5")
    local data = json.decode(run("--json", "--fields", "slug").stdout)
    assert.same({ { slug = "tiny-binary-frontier" }, { slug = "tiny-ternary-frontier" } },
      data.tasks)
    assert.same({ 3, ids[4], {} }, { data.numbers.submissions.accepted,
      data.best[task.id].submission_id, data.missing })
    assert.equal("tiny-binary-frontier\ntiny-ternary-frontier\n", run("-q").stdout)
    local out = home .. "/dashboard.html"
    assert.equal(out .. "\n", run("--out", out).stdout)
    local offline = support.bittern(home, { "--offline", "dashboard" },
      { env = { BITSOTA_COORDINATOR_URL = url } })
    assert.matches("tiny%-binary%-frontier", offline.stdout)
    serving.stop(child)
    local page = assert(fs.read(out))
    assert.truthy(page:find(url .. "/api/v1/tasks/" .. task.id .. "/onboard.md", 1, true))
    assert.truthy(page:find(url .. "/dashboard/submissions/" .. ids[4], 1, true))
  end)

  it("withstands whatever a coordinator says", function()
    local view = assert(dashboard.gather(client(hostile), { all = true }))
    for _, line in ipairs(dashboard.lines(view, 5)) do assert.is_nil(line:find "%c") end
    local page = support.folder() .. "/hostile.html"
    assert(fs.write(page, dashboard.page(view, 1e9)))
    local seen, why = browser.run("page", { page = page, name = "overview" })
    if not seen then return pending(why) end
    browser.judge(assert, "overview", seen.looks)
    assert.same({ "undefined", {}, {} }, { seen.hacked, seen.errors, seen.foreign })
    assert.same({ "https://coordinator.example/dashboard/tasks/t",
      "https://coordinator.example/api/v1/tasks/t/onboard.md" }, seen.links)
  end)

  it("goes on without what is not there, and says so", function()
    local view = assert(dashboard.gather(client { tasks = {}, dashboard = "not_found",
      reward_snapshot = "server_error", disclaimer = "not_found" }, {}))
    assert.same({ "dashboard: it says not_found", "reward snapshot: it says server_error" },
      view.missing)
    assert.same({}, dashboard.lines(view, 5))
    assert.equal("network", select(3, dashboard.gather(client { tasks = "network" }, {})))
    assert.equal("interrupted", select(3, dashboard.gather(client { tasks = {},
      dashboard = "interrupted" }, {})))
  end)
end)
