-- `make bench-practice`: how many signed requests a second the practice coordinator answers on one
-- core, and how long its lists take with 10,000 submissions in its state. Rates are counted in the
-- server's own processor time, so that other work on the machine does not count.
local fs = require "core.fs"
local sys = require "core.sys"

local canonical = require "bittern.canonical"
local coordinator = require "bittern.coordinator"
local database = require "bittern.practice.database"
local http = require "bittern.http"
local report = require "bittern.report"
local task_store = require "bittern.practice.task_store"

local practice = require "tests.practice.support"
local serving = require "tests.practice.serving"
local support = require "tests.support"

local SUBMISSIONS <const> = 10000
local REQUESTS <const> = 400
local TICKS <const> = 100 -- of /proc a second

local dir = support.folder()

-- One submission with its claim and verification, in the ways that the routes write them.
local function add(db, task, i)
  local now, hotkey = database.stamp(practice.NOW + i), practice.alice:address()
  local claim = database.put(db, "claim", [[INSERT INTO claim
    (id, task_id, miner_hotkey, status, claim_description, created_at)
    VALUES (?, ?, ?, 'completed', 'bench', ?) RETURNING *]], database.uuid(), task.id, hotkey, now)
  local body = practice.submission(claim, { proposed_idea = "idea number " .. i })
  body.claim_id = nil
  local status = i % 10 == 0 and "pending_verification" or "accepted"
  local submission = database.put(db, "submission", [[INSERT INTO submission
    (id, task_id, claim_id, miner_hotkey, status, body, observed_metrics, created_at)
    VALUES (?, ?, ?, ?, ?, ?, '{"heldout_ppl":4.5}', ?) RETURNING *]], database.uuid(), task.id,
    claim.id, hotkey, status, assert(canonical.encode(body)), now)
  database.put(db, "job", [[INSERT INTO job
    (id, submission_id, validator_hotkey, status, observed_metrics, notes, created_at)
    VALUES (?, ?, ?, 'accepted', '{"heldout_ppl":4.5}', 'Replay succeeded', ?) RETURNING *]],
    database.uuid(), submission.id, practice.validator:address(), now)
  return submission.id
end

local function fill()
  local db <close> = assert(database.open(dir))
  assert(task_store.add_shipped(db, practice.NOW))
  local tasks, last = database.rows(db, "SELECT * FROM task ORDER BY position"), nil
  assert(db:transaction(function()
    for i = 1, SUBMISSIONS do last = add(db, tasks[(i + 1) % 2 + 1], i) end
    return true
  end))
  return tasks[2].id, last
end

-- Seconds of processor time that a process has used.
local function cpu(pid)
  local text = assert(fs.read("/proc/" .. pid .. "/stat"))
  local user, system = text:match("^%d+ %b() %S" .. (" %S+"):rep(10) .. " (%d+) (%d+)")
  return (tonumber(user) + tonumber(system)) / TICKS
end

local function median(values)
  table.sort(values)
  return values[(#values + 1) // 2]
end

-- Calls fn many times: milliseconds at the median, requests a second of the server's core.
local function measure(pid, count, fn)
  local walls, before = {}, cpu(pid)
  for i = 1, count do
    local started = sys.clock()
    fn(i)
    walls[i] = (sys.clock() - started) * 1e3
  end
  local used = cpu(pid) - before
  return median(walls), used > 0 and count / used or math.huge
end

local function client_of(url)
  return assert(coordinator.new { url = url, key = practice.bob })
end

-- What miners do most: they look after a submission, claim and submit.
local function rates(pid, url, task_id, submission_id)
  local client, claims = client_of(url), {}
  local rows = {}
  local function row(name, count, fn)
    local wall, rate = measure(pid, count, fn)
    rows[#rows + 1] = { name, ("%.2f ms"):format(wall), ("%.0f"):format(rate) }
  end
  row("GET submission", REQUESTS, function() assert(client:submission(submission_id)) end)
  row("GET detail", REQUESTS, function() assert(client:detail(submission_id)) end)
  row("POST claim", REQUESTS, function(i) claims[i] = assert(client:claim(task_id, "bench")) end)
  row("POST submission, centerless, among 5,000", REQUESTS, function(i)
    assert(client:submit(practice.submission(claims[i], {
      proposed_idea = "x", implemented_submission_id = submission_id,
    })))
  end)
  return rows
end

local function lists(pid, url, task_id, submission_id)
  local client, rows = client_of(url), {}
  local function row(name, path, signed)
    local query = path:match("%?(.*)$") or ""
    local bytes
    local function get()
      local headers = signed and require("bittern.auth").headers(practice.bob, { method = "GET",
        path = path:match("^[^?]*"), query = query, now = sys.time() }) or {}
      local response = assert(http.get(url .. path, { headers = headers, max_bytes = 64 << 20 }))
      assert(response.status == 200, response.body)
      bytes = #response.body
    end
    local wall, rate = measure(pid, 11, get)
    rows[#rows + 1] = { name, ("%.1f ms"):format(wall), ("%.1f ms"):format(1e3 / rate),
      ("%.2f MB"):format(bytes / 1e6) }
  end
  row("submissions, all 10,000", "/api/v1/submissions", true)
  row("submissions of a task", "/api/v1/submissions?task_id=" .. task_id, true)
  row("submissions that wait", "/api/v1/submissions?status=pending_verification", true)
  row("claims, all", "/api/v1/claims")
  row("active claims of a task", ("/api/v1/claims?task_id=%s&status=active"):format(task_id))
  row("verifications, all", "/api/v1/verifications")
  row("verifications of one", "/api/v1/verifications?submission_id=" .. submission_id)
  row("tasks", "/api/v1/tasks")
  row("dashboard", "/api/v1/dashboard")
  row("reward snapshot", "/api/v1/reward-snapshot")
  assert(client:ready())
  return rows
end

local function show(columns, rows)
  for _, line in ipairs(report.table(columns, rows)) do report.out(line) end
  report.out("")
end

local task_id, submission_id = fill()
local child, url = serving.start(dir, { "--no-validator" })
show({ { "LIST, 10,000 SUBMISSIONS (median of 11)" }, { "WALL", right = true },
  { "SERVER", right = true }, { "BYTES", right = true } },
  lists(child:pid(), url, task_id, submission_id))
show({ { ("SIGNED REQUEST (median of %d)"):format(REQUESTS) }, { "WALL", right = true },
  { "A SECOND, ONE CORE", right = true } }, rates(child:pid(), url, task_id, submission_id))
serving.stop(child)
