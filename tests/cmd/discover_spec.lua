-- The commands that look: tasks, task, onboard, rules, best, check, against the practice
-- coordinator, and against servers that are down, slow, or answer nonsense.
local fs = require "core.fs"
local process = require "core.process"
local sr25519 = require "core.sr25519"

local coordinator = require "bittern.coordinator"
local json = require "bittern.json"
local serving = require "tests.practice.serving"
local support = require "tests.support"

local home = support.folder()

local function run(url, ...)
  return support.bittern(home, { ... }, { env = { BITSOTA_COORDINATOR_URL = url } })
end

-- Runs a function with a practice coordinator, and ends it.
local function with_practice(faults, body)
  local options = { "--no-validator" }
  for _, fault in ipairs(faults) do
    table.move({ "--fault", fault }, 1, 2, #options + 1, options)
  end
  local dir = support.folder()
  local child <close>, url = serving.start(dir, options)
  body(url, dir)
  serving.stop(child)
end

-- Runs a function with a server that gives these answers.
local function with_answers(answers, body)
  local path = support.folder() .. "/answers.json"
  assert(fs.write(path, json.encode(answers)))
  local child <close> = assert(process.spawn {
    argv = { support.bin, "run", support.root .. "/tests/fixtures/answers.lua", path },
    stdout = "pipe", stderr = "null",
  })
  body("http://127.0.0.1:" .. assert(child:read_line(20)))
end

local function fits(text)
  for line in text:gmatch("[^\n]+") do
    if not line:find("^[%w_]*%s*%S+$") then -- one long word cannot be broken
      assert.is_true((utf8.len(line) or #line) <= 80, line)
    end
  end
end

local function failed(done, status, pattern)
  assert.equal(status, done.status, done.stderr)
  assert.equal("", done.stdout)
  assert.matches(pattern, done.stderr)
end

local function write(value)
  local path = support.folder() .. "/submission.json"
  assert(fs.write(path, json.encode(value)))
  return path
end

local function sidecar(extra)
  local value = {
    summary = "packed", claimed_metrics = { heldout_ppl = 5.5, parameter_count = 2428672 },
    artifact_uri = "https://files.example.org/a.zip", artifact_sha256 = ("0"):rep(64),
    artifact_size_bytes = 398454,
  }
  for key, member in pairs(extra or {}) do value[key] = member end
  return write(value)
end

describe("discover commands", function()
  local child, url, dir

  setup(function()
    dir = support.folder()
    child, url = serving.start(dir, { "--no-validator" })
  end)

  teardown(function() serving.stop(child) end)

  it("tasks lists what is live, in 80 columns, as JSON, and as slugs", function()
    local done = run(url, "tasks")
    assert.equal(0, done.status, done.stderr)
    fits(done.stdout)
    assert.matches("^SLUG%s+MODE%s+METRIC%s+STATE%s+HOURS\n", done.stdout)
    assert.matches("\ntiny%-binary%-frontier%s+standard%s+heldout_ppl minimize%s+live%s+0.5\n",
      done.stdout)
    local list = assert(json.decode(run(url, "tasks", "--json").stdout)).tasks
    assert.equal(2, #list)
    assert.equal("heldout_ppl", list[1].metric_name)
    assert.equal("tiny-ternary-frontier\n", run(url, "tasks", "-q", "--mode", "centerless").stdout)
    done = run(url, "tasks", "--mode", "nonesuch")
    assert.equal(0, done.status)
    assert.equal("", done.stdout)
    assert.equal(0, #assert(json.decode(run(url, "tasks", "--mode", "x", "--json").stdout)).tasks)
  end)

  it("task shows every field, onboard the text, rules every rule with its source", function()
    local done = run(url, "task", " TINY-binary-frontier ")
    assert.matches("competition_mode%s+standard\n", done.stdout)
    assert.matches("allowed_patch_paths%s+competition_packs/tiny_binary_frontier/train.py\n",
      done.stdout)
    fits(done.stdout)
    done = run(url, "onboard", "tiny-binary-frontier")
    assert.matches("^# Tiny Qwen3", done.stdout)
    fits(done.stdout:gsub("|[^\n]*", ""))
    local raw = run(url, "onboard", "tiny-binary-frontier", "--raw").stdout
    local object = assert(json.decode(run(url, "onboard", "tiny-binary-frontier", "--json").stdout))
    assert.equal(object.text, raw)
    done = run(url, "rules", "tiny-ternary-frontier")
    fits(done.stdout)
    assert.matches("\nrequired%.proposed_idea%s+open%s+onboarding line %d+\n", done.stdout)
    assert.matches("\nbudget%.model%s+open%s+onboarding line %d+\n", done.stdout)
    local list = assert(json.decode(run(url, "rules", "tiny-ternary-frontier", "--json").stdout))
    local sources = {}
    for _, rule in ipairs(list.rules) do sources[rule.id] = rule.source end
    assert.equal("mode centerless", sources.implemented_submission_id)
    assert.equal("task JSON: max_patch_bytes", sources.patch_size)
  end)

  it("best says when there is none", function()
    local done = run(url, "best", "tiny-binary-frontier")
    assert.equal(0, done.status)
    assert.equal("", done.stdout)
    assert.matches("has no best yet", done.stderr)
    local object = run(url, "best", "tiny-binary-frontier", "--json").stdout
    assert.equal('{"best":null,"slug":"tiny-binary-frontier"}\n', object)
  end)

  it("an unknown slug exits 7 with the nearest and what is live", function()
    for _, command in ipairs { "task", "onboard", "rules", "best" } do
      local done = run(url, command, "tiny-binary-frontire")
      failed(done, 7, "did you mean 'tiny%-binary%-frontier'%? "
        .. "live now: tiny%-binary%-frontier, tiny%-ternary%-frontier")
    end
    failed(run(url, "check", "nonesuch", "--submission", sidecar()), 7, "live now: tiny")
    local object = assert(json.decode(run(url, "task", "nonesuch", "--json").stdout))
    assert.equal("not_live", object.error.id)
    assert.equal(7, object.error.exit)
  end)

  it("check passes a good draft, and stops a bad one with the bytes over", function()
    local done = run(url, "check", "tiny-binary-frontier", "--submission", sidecar())
    assert.equal(0, done.status, done.stdout .. done.stderr)
    fits(done.stdout)
    assert.matches("\nPASS: %d+ rules kept, 2 not judged\n$", done.stdout)
    local over = sidecar { artifact_size_bytes = 398457, artifact_uri = "/tmp/a.zip" }
    done = run(url, "check", "tiny-binary-frontier", "--submission", over)
    assert.equal(9, done.status)
    assert.matches("STOP%s+budget%.reference%s+onboarding line %d+\n%s+[^\n]*by 3 bytes",
      done.stdout)
    assert.matches("STOP%s+artifact_uri%s+mode standard\n%s+[^\n]*local path", done.stdout)
    assert.matches("\nSTOP: 3 rules of %d+ broken, 2 not judged\n$", done.stdout)
    done = run(url, "check", "tiny-binary-frontier", "--submission", over, "--json")
    assert.equal(9, done.status)
    assert.equal("STOP", assert(json.decode(done.stdout)).verdict)
  end)

  it("check judges even a file that could not be sent", function()
    local done = run(url, "check", "tiny-binary-frontier", "--submission",
      write { summary = 7, claimed_metrics = json.array {}, artifact_size_bytes = "many" })
    assert.equal(9, done.status)
    for _, id in ipairs { "required.artifact_uri", "summary", "claimed_metrics" } do
      assert.matches("STOP%s+" .. id .. "%s", done.stdout)
    end
    local list = support.folder() .. "/list.json"
    assert(fs.write(list, "[1]"))
    local function check(...) return run(url, "check", "tiny-binary-frontier", ...) end
    failed(check("--submission", list), 9, "must hold a JSON object")
    failed(check("--submission", list .. "x"), 7, "list.jsonx")
    failed(check(), 2, "%-%-submission")
  end)

  it("check knows whether another miner's idea exists only from a list it may see", function()
    local draft = sidecar { proposed_idea = "rows" }
    local done = run(url, "check", "tiny-ternary-frontier", "--submission", draft)
    assert.equal(9, done.status)
    assert.matches("name a hotkey to sign with", done.stderr)
    assert.matches("STOP%s+implemented_submission_id", done.stdout)
    local words = support.folder() .. "/words"
    assert(fs.write(words, ("abandon "):rep(11) .. "about\n", { mode = 0x180 }))
    done = run(url, "check", "tiny-ternary-frontier", "--submission", draft, "--wallet-file",
      words)
    assert.equal(0, done.status, done.stdout .. done.stderr)
  end)

  it("a paused task is not live: exit 7, and task --all still shows it", function()
    local function set(action)
      local argv = { "practice", action, "tiny-ternary-frontier", "--state", dir }
      assert.equal(0, support.bittern(dir, argv).status)
    end
    set "pause"
    failed(run(url, "rules", "tiny-ternary-frontier"), 7,
      "task 'tiny%-ternary%-frontier' is paused; live now: tiny%-binary%-frontier")
    assert.matches("task_state%s+paused", run(url, "task", "tiny-ternary-frontier", "--all").stdout)
    assert.equal("tiny-binary-frontier\n", run(url, "tasks", "-q").stdout)
    assert.matches("paused", run(url, "tasks", "--all").stdout)
    set "resume"
  end)

  it("a user's own mode takes the place of ours; its faults have file and line", function()
    local other = support.folder()
    local modes = other .. "/.config/bittern/modes"
    assert(fs.mkdir(modes))
    local function check(text)
      assert(fs.write(modes .. "/standard.lua", text))
      local argv = { "check", "tiny-binary-frontier", "--submission", sidecar() }
      return support.bittern(other, argv, { env = { BITSOTA_COORDINATOR_URL = url } })
    end
    local mode = [[return { api = 1, about = "mine", fields = {}, accept = function() end, rules = {
      { id = "round", about = "x", check = function(s) return %s end } } }]]
    assert.equal(0, check(mode:format("true")).status)
    local done = check(mode:format("nil, 'not round'"))
    assert.equal(9, done.status)
    assert.matches("STOP%s+round%s+mode standard\n%s+not round", done.stdout)
    failed(check(mode:format("s.none.at_all")), 14, "modes/standard%.lua:2: ")
    failed(check((mode:format("true"):gsub("about", "abuot", 1))), 14,
      "modes/standard%.lua:1: .*did you mean 'about'")
  end)

  it("the examples run", function()
    local done = run(url, "run", support.root .. "/examples/coordinator.lua")
    assert.equal(0, done.status, done.stderr)
    assert.matches("tiny%-binary%-frontier\tlive\theldout_ppl\tno best yet\n", done.stdout)
    done = run(url, "run", support.root .. "/examples/rules.lua")
    assert.equal(0, done.status, done.stderr)
    assert.matches("required%.artifact_uri\tonboarding line 1\n", done.stdout)
    assert.matches("by 1 byte: it has 4429687501 bytes", done.stdout)
  end)

  it("--offline asks nobody", function()
    failed(run(url .. "/other", "tasks", "--offline"), 6, "not sent, because of %-%-offline")
  end)

  it("--coordinator wins over the environment, and a bad URL is a configuration error", function()
    assert.equal(0, run("http://127.0.0.1:1", "tasks", "--coordinator", url .. "/").status)
    failed(run(url, "tasks", "--coordinator", "bitsota"), 3,
      "%-%-coordinator: 'bitsota' is not a URL")
    failed(run("http://example.org", "tasks"), 3, "http")
  end)
end)

describe("discover commands, with a coordinator in trouble,", function()
  it("say that it is down", function()
    failed(run("http://127.0.0.1:1", "tasks"), 6, "127%.0%.0%.1")
  end)

  it("say that it answers HTML, and what the page says", function()
    with_practice({ "tasks-html" }, function(url)
      failed(run(url, "tasks"), 6, "GET /api/v1/tasks: 200, but not JSON: Welcome")
    end)
  end)

  it("take null for an empty list", function()
    with_practice({ "tasks-null" }, function(url)
      local done = run(url, "tasks")
      assert.equal(0, done.status)
      assert.equal("", done.stdout)
      failed(run(url, "task", "x"), 7, "no task is live now")
    end)
  end)

  it("give up on 500 after a few tries, and say so", function()
    with_practice({ "tasks-500" }, function(url)
      failed(run(url, "tasks", "--quiet"), 5, "GET /api/v1/tasks: 500 Internal Server Error")
    end)
  end)

  it("leave out broken records by name and show the others", function()
    with_practice({ "tasks-broken-record" }, function(url)
      local done = run(url, "tasks", "-q")
      assert.equal(0, done.status)
      assert.equal("tiny-binary-frontier\ntiny-ternary-frontier\n", done.stdout)
      assert.matches("task 1 %(7%) has no slug; left out", done.stderr)
      assert.matches("task 2 is a string, not an object; left out", done.stderr)
    end)
  end)

  it("wait for a slow one, and a client with little patience says timeout", function()
    with_practice({ "slow:0.4" }, function(url)
      assert.equal(0, run(url, "tasks").status)
      local hasty = assert(coordinator.new { url = url, timeout = 0.1, retry = { tries = 1 } })
      local none, message, code = hasty:tasks()
      assert.is_nil(none)
      assert.equal("timeout", code)
      assert.matches("127%.0%.0%.1", message)
    end)
  end)

  it("sign what the server wants signed, whatever the documents say", function()
    with_practice({ "unsigned-401" }, function(url)
      failed(run(url, "tasks"), 4, "401 missing auth headers; name a hotkey to sign with")
      local key <close> = assert(sr25519.from_mnemonic(assert(sr25519.generate())))
      local client = assert(coordinator.new { url = url, key = key })
      assert.equal(2, #assert(client:tasks()))
    end)
  end)

  it("show hostile text without letting it through, and modes nobody knows", function()
    local odd = { id = 9, slug = "odd\27[2J", task_state = "live", is_active = true,
      competition_mode = "duel\27]0;x\7", time_budget_seconds = "soon" }
    with_answers({
      ["GET /api/v1/tasks"] = { body = json.encode { odd } },
      ["GET /api/v1/tasks/9/onboard.md"] = { type = "text/markdown", body = "# Hi \27[31mred" },
      ["GET /api/v1/tasks/9/best"] = { body = json.encode { id = 4, hotkey = "\27[2Jx" } },
    }, function(url)
      for _, command in ipairs { "tasks", "task", "onboard", "rules", "best" } do
        local done = run(url, command, command ~= "tasks" and "9" or "--all")
        assert.equal(0, done.status, done.stderr)
        assert.is_nil((done.stdout .. done.stderr):find("\27", 1, true), command)
      end
      assert.matches("mode 'duel' is not known here", run(url, "rules", "9").stderr)
      assert.matches("^submission_id%s+4\nid%s+4\n", run(url, "best", "9").stdout)
      local done = run(url, "check", "9", "--submission", sidecar())
      assert.equal(9, done.status)
      assert.matches("STOP%s+mode%s", done.stdout)
    end)
  end)

  it("do not choose between two tasks of one slug", function()
    local one = { id = "a", slug = "twin", task_state = "live", is_active = true }
    local two = { id = "b", slug = "Twin", task_state = "live", is_active = true }
    with_answers({ ["GET /api/v1/tasks"] = { body = json.encode { one, two } } }, function(url)
      failed(run(url, "task", "twin"), 7, "2 tasks have the slug 'twin'; name one by its id: a, b")
      assert.equal(0, run(url, "task", "b").status)
    end)
  end)

  it("onboard tells what changed since it was seen, and shows that offline", function()
    local record = { id = "9", slug = "paged", task_state = "live", is_active = true }
    local function answers(page)
      return { ["GET /api/v1/tasks"] = { body = json.encode { record } },
        ["GET /api/v1/tasks/9/onboard.md"] = { type = "text/markdown", body = page } }
    end
    local before, after = "# Rules\n\nUse 2 bits.\nBe kind.\n", "# Rules\n\nUse 1 bit.\nBe kind.\n"
    local cache, path = require "bittern.onboard.seen", support.folder()
    local env = function(name) return name == "XDG_CACHE_HOME" and path or nil end
    with_answers(answers(after), function(url)
      assert(cache.write(url, "paged", before, 1000, env))
      local function onboard(...)
        return support.bittern(home, { "onboard", "paged", ... },
          { env = { BITSOTA_COORDINATOR_URL = url, XDG_CACHE_HOME = path } })
      end
      local changed = json.decode(onboard("--json").stdout).changed
      assert.same({ since = 1000, lines = { "- Use 2 bits.", "+ Use 1 bit." } }, changed)
      assert.is_nil(onboard().stderr:find("changed", 1, true))
      assert(cache.write(url, "paged", before, os.time(), env))
      assert.matches("changed since it was seen, %d s ago:\n  %- Use 2 bits.\n  %+ Use 1 bit.\n$",
        onboard().stderr)
      local offline = onboard("--offline")
      assert.matches("the page as it was %d s ago", offline.stderr)
      assert.matches("Use 1 bit", offline.stdout)
    end)
  end)

  it("tell that a task has no onboarding text", function()
    local plain = { id = "t", slug = "plain", task_state = "live", is_active = true }
    with_answers({ ["GET /api/v1/tasks"] = { body = json.encode { plain } } }, function(url)
      local done = run(url, "rules", "plain")
      assert.equal(0, done.status)
      assert.matches("no onboarding text; its rules are missing", done.stderr)
      assert.matches("\nmode%s+PASS%s+default\n", done.stdout)
      failed(run(url, "onboard", "plain"), 7, "404")
      assert.matches("has no best yet", run(url, "best", "plain").stderr)
    end)
  end)
end)
