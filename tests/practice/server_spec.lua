-- The practice coordinator as a process: HTTP, faults, files, endings.
local fs = require "core.fs"
local process = require "core.process"
local sha256 = require "core.sha256"
local sys = require "core.sys"

local auth = require "bittern.auth"
local http = require "bittern.http"
local json = require "bittern.json"

local practice = require "tests.practice.support"
local serving = require "tests.practice.serving"
local support = require "tests.support"

local function call(url, method, path, body, key)
  local headers = auth.headers(key or practice.alice, {
    method = method, path = path, body = body, now = sys.time(),
  })
  return http.json(method, url .. path, { headers = headers, body = body })
end

local function claim(url, key)
  local tasks = assert(http.json("GET", url .. "/api/v1/tasks"))
  return call(url, "POST", "/api/v1/tasks/" .. tasks[1].id .. "/claim",
    '{"claim_description":"a try"}', key)
end

local function claims(url)
  return assert(http.json("GET", url .. "/api/v1/claims"))
end

describe("practice serve", function()
  local dir, child, url

  local function start(...)
    local ready
    child, url, ready = serving.start(dir, { "--no-validator", ... })
    return ready
  end

  before_each(function() dir = support.folder() end)
  after_each(function()
    if child then serving.stop(child, 9) end
    child = nil
  end)

  it("says where it listens, and keeps its state through kill -9", function()
    local ready = start()
    assert.equal(dir, ready.dir)
    assert.equal("http://127.0.0.1:" .. ready.port, url)
    local tasks = http.json("GET", url .. "/api/v1/tasks")
    local made = assert(claim(url))
    assert.equal(9, serving.stop(child, 9).signal)
    start()
    assert.same(tasks, (http.json("GET", url .. "/api/v1/tasks")))
    assert.equal(made.id, claims(url)[1].id)
    assert.equal(tonumber("600", 8), fs.stat(dir .. "/validator-hotkey.json").mode)
    assert.equal(tonumber("600", 8), fs.stat(dir .. "/coordinator.db").mode)
  end)

  it("lets one process at a time have a folder", function()
    start()
    local second = support.bittern(dir, { "practice", "serve", "--state", dir })
    assert.equal(11, second.status)
    assert.truthy(second.stderr:find("another process holds it", 1, true))
  end)

  it("ends its validator with it", function()
    child, url = serving.start(dir)
    local pid = assert(serving.validator(url))
    assert.equal(130, serving.stop(child).status)
    child = nil
    for _ = 1, 100 do
      if not fs.stat("/proc/" .. pid) then break end
      sys.sleep(0.05)
    end
    assert.is_nil(fs.stat("/proc/" .. pid))
  end)

  it("stores files of any size under names that are written once", function()
    start()
    local function put(name, bytes)
      local path = "/files/" .. name
      return http.json("PUT", url .. path, { body = bytes, headers = auth.headers(practice.alice, {
        method = "PUT", path = path, body = bytes, now = sys.time(),
        content_type = "application/octet-stream",
      }) })
    end
    local large = ("0123456789abcdef"):rep(320 << 10)
    local stored = assert(put("large.bin", large))
    assert.same({ #large, sha256.hex(large) }, { stored.size, stored.sha256 })
    local response = assert(http.get(url .. "/files/large.bin"))
    assert.equal(200, response.status)
    assert.equal(tostring(#large), response.headers["content-length"])
    assert.is_true(response.body == large)
    assert.truthy(put("large.bin", large))
    assert.equal("conflict", select(3, put("large.bin", large .. "x")))
    assert.equal("conflict", select(3, put("large.bin", "x")))
    assert(put("small.bin", "abc"))
    assert.equal("abc", http.get(url .. "/files/small.bin").body)
    local left = support.run { "/bin/ls", "-A", dir .. "/spool" }
    assert.equal("", left.stdout)
  end)

  it("pauses, resumes and closes tasks for tests", function()
    start()
    local function state() return http.json("GET", url .. "/api/v1/tasks")[1].task_state end
    for action, expected in pairs { pause = "paused", resume = "live", close = "closed" } do
      local done = support.bittern(dir, { "practice", action, "tiny-binary-frontier", "--state",
        dir })
      assert.equal(0, done.status, done.stderr)
      assert.equal(expected, state())
    end
    local unknown = support.bittern(dir, { "practice", "pause", "nothing", "--state", dir })
    assert.equal(7, unknown.status)
    assert.equal(2, support.bittern(dir, { "practice", "pause", "--state", dir }).status)
    local nowhere = dir .. "/nowhere"
    local lost = support.bittern(dir, { "practice", "pause", "tiny-binary-frontier", "--state",
      nowhere })
    assert.equal(7, lost.status)
    assert.matches(nowhere .. ": no practice coordinator", lost.stderr, 1, true)
    assert.is_nil(fs.stat(nowhere))
  end)

  it("refuses options that make no sense", function()
    for _, argv in ipairs {
      { "practice", "serve", "--state", dir, "--port", "x" },
      { "practice", "serve", "--state", dir, "--fault", "tasks-htm" },
      { "practice", "serve", "--state", dir, "--fault", "slow:x" },
      { "practice", "validate", "--state", dir }, { "practice", "fly", "--state", dir },
    } do
      assert.equal(2, support.bittern(dir, argv).status, table.concat(argv, " "))
    end
    local wrong = support.bittern(dir, { "practice", "serve", "--state", dir, "--fault",
      "tasks-htm" })
    assert.truthy(wrong.stderr:find("did you mean 'tasks-html'?", 1, true))
  end)

  describe("with a fault", function()
    local function tasks()
      return http.json("GET", url .. "/api/v1/tasks")
    end

    it("spoils the task list", function()
      start("--fault", "tasks-html")
      assert.equal("invalid_response", select(3, tasks()))
      serving.stop(child, 9)
      start("--fault", "tasks-null")
      assert.equal(json.null, (tasks()))
      serving.stop(child, 9)
      start("--fault", "tasks-500")
      assert.equal("server_error", select(3, tasks()))
      serving.stop(child, 9)
      start("--fault", "tasks-broken-record")
      assert.equal(4, #tasks())
    end)

    it("loses the first claim's answer, keeping the claim", function()
      start("--fault", "drop-claim-response", "--fault", "slow:0.3")
      local started = sys.clock()
      assert.equal("server_error", select(3, claim(url)))
      assert.is_true(sys.clock() - started > 0.5)
      assert.equal(1, #claims(url))
      assert.truthy(claim(url))
      assert.equal(2, #claims(url))
    end)

    it("refuses for want of stake, and what is not signed", function()
      start("--fault", "no-stake", "--fault", "unsigned-401")
      assert.equal("unauthorized", select(3, tasks()))
      local list = assert(call(url, "GET", "/api/v1/tasks"))
      local path = "/api/v1/tasks/" .. list[1].id .. "/claim"
      assert.equal("stake", select(3, call(url, "POST", path, '{"claim_description":"x"}')))
    end)

    it("changes or redirects files", function()
      assert(fs.mkdir(dir .. "/files"))
      assert(fs.write(dir .. "/files/a", "abc"))
      start("--fault", "file-changed", "--fault", "file-redirect")
      local moved = http.get(url .. "/files/a", { redirects = 0 })
      assert.same({ 302, "/files/a?direct=1" }, { moved.status, moved.headers.location })
      local changed = http.get(url .. "/files/a", { redirects = 1 })
      assert.same({ 200, "abb" }, { changed.status, changed.body })
    end)
  end)

  it("is gone when its parent is killed", function()
    local script = dir .. "/parent.lua"
    assert(fs.write(script, ([[
      local child = assert(require("core.process").spawn {
        argv = { %q, "practice", "serve", "--state", %q }, stdout = "pipe" })
      print(assert(child:read_line(20)))
      io.stdout:flush()
      require("core.sys").sleep(60)
    ]]):format(support.bin, dir)))
    local parent = assert(process.spawn { argv = { support.bin, "run", script }, stdout = "pipe" })
    local ready = assert(json.decode(assert(parent:read_line(20))))
    assert.truthy(http.json("GET", ready.url .. "/healthz"))
    parent:kill(9)
    parent:wait(10)
    local code
    for _ = 1, 100 do
      code = select(3, http.json("GET", ready.url .. "/healthz"))
      if code then break end
      sys.sleep(0.05)
    end
    assert.truthy(code)
  end)
end)
