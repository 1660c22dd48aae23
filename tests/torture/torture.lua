-- Claims and submissions under fire: a coordinator that loses answers, a miner that is killed at
-- random moments, and the question what is left: nothing twice, nothing lost.
local fs = require "core.fs"
local process = require "core.process"
local sha256 = require "core.sha256"
local store = require "core.store"
local sys = require "core.sys"

local canonical = require "bittern.canonical"
local http = require "bittern.http"
local json = require "bittern.json"

local support = require "tests.support"

local M = {}

local SLUG <const> = "tiny-binary-frontier"
local SETTLE <const> = "1"
local TRIES <const> = 25

-- Exit codes after which a miner runs the same command again; nil is a kill.
local passing = { [5] = true, [6] = true, [15] = true }

local Miner = {}
Miner.__index = Miner

local function start(seed)
  local home = support.folder()
  assert(fs.mkdir(home .. "/coordinator"))
  local server = assert(process.spawn {
    argv = { support.bin, "run", support.root .. "/tests/torture/server.lua",
      home .. "/coordinator", tostring(seed), SETTLE },
    env = support.environment(home), stdout = "pipe", stderr = home .. "/server.err",
  })
  local ready = assert(json.decode(assert(server:read_line(20))))
  local made = support.bittern(home, { "wallet", "new", home .. "/hotkey", "--quiet" })
  assert(made.status == 0, made.stderr)
  return setmetatable({ home = home, server = server, url = ready.url, seed = seed, kills = 0,
    odd = {} }, Miner)
end

-- One try of a command, killed after `delay` seconds unless it has ended by then.
function Miner:try(argv, delay)
  local output = self.home .. "/output"
  os.remove(output)
  local all = { support.bin, "--coordinator", self.url, "--quiet" }
  table.move(argv, 1, #argv, #all + 1, all)
  table.move({ "--settle", SETTLE, "--hotkey-file", self.home .. "/hotkey" }, 1, 4, #all + 1, all)
  local child <close> = assert(process.spawn {
    argv = all, env = support.environment(self.home), stdout = output, stderr = output .. ".err",
  })
  local ended = child:wait(delay)
  if not ended then
    child:kill(9)
    self.kills = self.kills + 1
    assert(child:wait(10))
    return nil
  end
  return ended.status, fs.read(output) or ""
end

-- Runs a command until it succeeds, as a stubborn miner does; kills it at random on the way.
-- @return what it printed, or nil when it failed for good
function Miner:insist(argv, random)
  for i = 1, TRIES do
    local delay = i < TRIES - 5 and random() < 0.4 and 0.15 * random() or 60
    local status, output = self:try(argv, delay)
    if status == 0 then return output:match("%S+") end
    if status and not passing[status] then
      self.odd[#self.odd + 1] = ("%s: exit %d: %s"):format(argv[1], status,
        (fs.read(self.home .. "/output.err") or ""):match("[^\n]*\n?[^\n]*$"))
      return nil
    end
  end
  self.odd[#self.odd + 1] = ("%s: not done after %d tries"):format(argv[1], TRIES)
  return nil
end

--- Puts an artifact of its own where a coordinator serves it, and writes its sidecar.
-- @param home folder with the coordinator's state
-- @param url of the coordinator
-- @param name of the artifact
-- @return path of the sidecar
function M.sidecar(home, url, name)
  local bytes, path = "artifact " .. name, home .. "/submission.json"
  assert(fs.write(("%s/coordinator/files/%s.zip"):format(home, name), bytes))
  assert(fs.write(path, assert(canonical.encode {
    summary = name, claimed_metrics = { heldout_ppl = 8.0, parameter_count = 2428672 },
    artifact_uri = ("%s/files/%s.zip"):format(url, name), artifact_sha256 = sha256.hex(bytes),
    artifact_size_bytes = #bytes,
  })))
  return path
end

function Miner:run(run, random, result)
  local claim = self:insist({ "claim", SLUG }, random)
  if not claim then return end
  if random() < 0.1 then
    if self:insist({ "cancel", claim }, random) then result.cancelled = result.cancelled + 1 end
    return
  end
  local sidecar = M.sidecar(self.home, self.url, ("run-%d-of-seed-%d"):format(run, self.seed))
  local id = self:insist({ "submit", SLUG, "--submission", sidecar, "--claim", claim }, random)
  if id then result.submitted = result.submitted + 1 end
end

local function number(db, sql)
  return assert(db:query(sql))[1].n
end

--- The submissions that a coordinator has.
-- @param home folder with its state
-- @return array of ids
function M.ids(home)
  local db <close> = assert(store.open(home .. "/coordinator/coordinator.db"))
  local ids = {}
  for i, row in ipairs(assert(db:query "SELECT id FROM submission")) do ids[i] = row.id end
  return ids
end

--- Adds up what the coordinator holds, beside what the ledger knows.
-- @param home folder of the user, with the coordinator's state
-- @param result as M.new_result
function M.judge(home, result)
  local theirs <close> = assert(store.open(home .. "/coordinator/coordinator.db"))
  local ours <close> = assert(store.open(home .. "/.local/state/bittern/ledger.db"))
  result.duplicates = result.duplicates + number(theirs,
    [[SELECT count(*) - count(DISTINCT json_extract(body, '$.artifact_sha256')) AS n
    FROM submission]])
  result.stored = result.stored + number(theirs, "SELECT count(*) AS n FROM submission")
  result.claims = result.claims + number(theirs, "SELECT count(*) AS n FROM claim")
  result.left_active = result.left_active
    + number(theirs, "SELECT count(*) AS n FROM claim WHERE status = 'active'")
  result.unknown = result.unknown
    + number(ours, "SELECT count(*) AS n FROM posts WHERE state = 'unknown'")
  local known = {}
  for _, row in ipairs(assert(ours:query("SELECT record_id FROM posts WHERE state = 'done'"))) do
    known[row.record_id] = true
  end
  for _, row in ipairs(assert(theirs:query(
    "SELECT id FROM claim UNION ALL SELECT id FROM submission"))) do
    if not known[row.id] then result.lost = result.lost + 1 end
  end
end

-- Results are sums, and lists of what went wrong.
local function add(result, more)
  for key, value in pairs(more) do
    if type(value) == "number" then result[key] = (result[key] or 0) + value end
    if type(value) == "table" then
      result[key] = result[key] or {}
      if #value > 0 then table.move(value, 1, #value, #result[key] + 1, result[key])
      else add(result[key], value) end
    end
  end
  return result
end

--- Nothing yet.
function M.new_result()
  return { runs = 0, submitted = 0, cancelled = 0, stored = 0, claims = 0, duplicates = 0,
    lost = 0, left_active = 0, unknown = 0, kills = 0, faults = {}, odd = {} }
end

--- One miner and one coordinator: claim and submit, or claim and cancel, again and again.
-- @param runs how many
-- @param seed of everything random; the moments of kills also depend on the machine
-- @return result, see M.rows
function M.batch(runs, seed)
  math.randomseed(seed)
  local result, miner = M.new_result(), start(seed)
  for run = 1, runs do
    miner:run(run, math.random, result)
    result.runs = result.runs + 1
  end
  result.faults = assert(http.json("GET", miner.url .. "/torture"))
  result.kills, result.odd = miner.kills, miner.odd
  M.judge(miner.home, result)
  miner.server:kill()
  miner.server:wait(10)
  return result
end

local function start_batch(runs, seed)
  return assert(process.spawn {
    argv = { support.bin, "run", support.root .. "/tests/torture/batch.lua", tostring(runs),
      tostring(seed) },
    stdout = "pipe",
  })
end

--- Runs in batches, several at a time; each batch has a seed of its own, counted up from `seed`.
-- @param options {runs=, seed=, batch= runs of a batch, workers= batches at a time,
--   say= function(runs done) or nil}
-- @return result, see M.rows
function M.run(options)
  local result, started, children = M.new_result(), sys.clock(), {}
  local next_run, next_seed = 1, options.seed
  while next_run <= options.runs or #children > 0 do
    while next_run <= options.runs and #children < options.workers do
      local runs = math.min(options.batch, options.runs - next_run + 1)
      children[#children + 1] = start_batch(runs, next_seed)
      next_run, next_seed = next_run + runs, next_seed + 1
    end
    local child <close> = table.remove(children, 1)
    local line = assert(child:read_line(600))
    assert(child:wait(20))
    add(result, assert(canonical.decode(line)))
    if options.say then options.say(result.runs) end
  end
  result.seconds = sys.clock() - started
  return result
end

--- The table of goals: {goal, target, reached}, numbers as text.
function M.rows(result)
  local function row(goal, target, reached)
    return { goal, target and ("%d"):format(target) or "", ("%d"):format(reached) }
  end
  local rows = {
    row("runs of claim and submit or cancel", result.runs, result.submitted + result.cancelled),
    row("duplicate submissions", 0, result.duplicates),
    row("submissions sent again after they were stored", 0, result.faults["sent again"] or 0),
    row("submissions stored", result.submitted, result.stored),
    row("claims made", result.runs, result.claims),
    row("records the ledger does not know", 0, result.lost),
    row("claims left active", 0, result.left_active),
    row("POSTs left of unknown outcome", 0, result.unknown),
    row("kill -9", nil, result.kills),
  }
  for _, what in ipairs { "answers lost", "requests lost", "carried out late", "lists failed" } do
    rows[#rows + 1] = row(what, nil, result.faults[what] or 0)
  end
  return rows
end

--- Whether every goal is reached.
function M.is_good(result)
  for _, row in ipairs(M.rows(result)) do
    if row[2] ~= "" and row[2] ~= row[3] then return false end
  end
  return #result.odd == 0
end

return M
