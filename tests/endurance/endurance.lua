-- Long runs: a practice coordinator that fails one request in ten, a `bittern loop` that claims and
-- submits, a `bittern track` that follows a submission nobody decides. Memory and descriptors of
-- all three are to stay what they are, and nothing is to be lost.
local fs = require "core.fs"
local lfs = require "lfs"
local process = require "core.process"
local sys = require "core.sys"

local json = require "bittern.json"

local practice = require "tests.practice.serving"
local support = require "tests.support"
local torture = require "tests.torture.torture"

local M = {}

-- One request of the API in ten; the second and the third are of POSTs only.
local FAULTS <const> = { "reset=0.03", "reset-after-commit=0.02", "502-after-commit=0.02",
  "html=0.02", "truncate=0.02", "503=0.02" }
local CYCLE <const> = support.root .. "/tests/endurance/cycle.lua"
local EVERY <const> = 0.5
local TRIES <const> = 20

-- More than this is growth: KiB of memory, descriptors.
local ROOM <const> = { memory = 4096, files = 3 }

local function measure(pid)
  local status = fs.read(("/proc/%d/status"):format(pid))
  local memory = status and status:match "VmRSS:%s*(%d+)"
  if not memory then return nil end
  local files = 0
  for _ in lfs.dir(("/proc/%d/fd"):format(pid)) do files = files + 1 end
  return { memory = tonumber(memory), files = files }
end

local function median(samples, what, first, last)
  local values = {}
  for i = math.max(first, 1), last do values[#values + 1] = samples[i][what] end
  table.sort(values)
  return values[(#values + 1) // 2]
end

-- What a process had in the second quarter of its time, and in the last.
local function growth(samples, what)
  local quarter = #samples // 4
  return median(samples, what, quarter + 1, 2 * quarter),
    median(samples, what, #samples - quarter + 1, #samples)
end

local Run = {}
Run.__index = Run

local function start()
  local self = setmetatable({ home = support.folder(), samples = {}, children = {} }, Run)
  local options = { "--no-validator" }
  for _, fault in ipairs(FAULTS) do
    table.move({ "--fault", fault }, 1, 2, #options + 1, options)
  end
  assert(fs.mkdir(self.home .. "/coordinator"))
  self.children.coordinator, self.url = practice.start(self.home .. "/coordinator", options)
  local made = support.bittern(self.home, { "wallet", "new", self.home .. "/hotkey", "--quiet" })
  assert(made.status == 0, made.stderr)
  return self
end

function Run:spawn(argv, stdout)
  local all = { support.bin, "--coordinator", self.url, table.unpack(argv) }
  return assert(process.spawn { argv = all, env = support.environment(self.home),
    stdout = stdout or "null", stderr = self.home .. "/stderr" })
end

-- One cycle, until it is done.
function Run:cycle(number)
  for _ = 1, TRIES do
    local child <close> = self:spawn { "run", CYCLE, tostring(number), self.home, self.url }
    local ended = child:wait(120)
    if ended and ended.status == 0 then return end
  end
  error(("cycle %d is never done:\n%s"):format(number, fs.read(self.home .. "/stderr")))
end

function Run:begin(seconds)
  self:cycle(0)
  local id = torture.ids(self.home)[1]
  self.children.loop = self:spawn({ "--json", "loop", "--interval", "0.2", "--failures", "1000000",
    "--", "run", CYCLE, "{cycle}", self.home, self.url }, self.home .. "/cycles")
  self.children.track = self:spawn { "track", id, "--hotkey-file",
    self.home .. "/hotkey", "--timeout", ("%d"):format(seconds + 600) }
  for name in pairs(self.children) do self.samples[name] = {} end
end

function Run:sample()
  for name, child in pairs(self.children) do
    local sample = child:pid() and measure(child:pid())
    if not sample or child:wait(0) then
      error(("%s ended:\n%s"):format(name, fs.read(self.home .. "/stderr")))
    end
    table.insert(self.samples[name], sample)
  end
end

-- Cycles that the loop has ended, and how many were good. It also says when it is interrupted.
function Run:cycles()
  local count, good = 0, 0
  for line in (fs.read(self.home .. "/cycles") or ""):gmatch "[^\n]+" do
    local cycle = assert(json.decode(line))
    if cycle.cycle then count = count + 1 end
    if cycle.exit == 0 then good = good + 1 end
  end
  return count, good
end

-- Ends the loop, and does the cycle that this interrupts.
function Run:finish()
  for _, name in ipairs { "loop", "track" } do
    self.children[name]:kill(15)
    assert(self.children[name]:wait(60))
  end
  local count = self:cycles()
  self:cycle(count + 1)
  practice.stop(self.children.coordinator)
end

function Run:judge(seconds)
  local result = torture.new_result()
  torture.judge(self.home, result)
  result.cycles, result.good = self:cycles()
  result.seconds, result.processes = seconds, {}
  for _, name in ipairs { "coordinator", "loop", "track" } do
    local process_result = { name = name }
    for what in pairs(ROOM) do
      local before, after = growth(self.samples[name], what)
      process_result[what] = { before = before, after = after }
    end
    table.insert(result.processes, process_result)
  end
  return result
end

--- Runs all three for a while.
-- @param options {seconds=, say= function(seconds so far) or nil}
-- @return result, for M.rows and M.is_good
function M.run(options)
  local run = start()
  run:begin(options.seconds)
  local started = sys.clock()
  while sys.clock() - started < options.seconds do
    sys.sleep(EVERY)
    run:sample()
    if options.say then options.say(sys.clock() - started) end
  end
  run:finish()
  return run:judge(options.seconds)
end

local function grows(process_result)
  for what, room in pairs(ROOM) do
    local one = process_result[what]
    if one.after > one.before + room then return true end
  end
  return false
end

--- Whether nothing grew and nothing was lost. The cycles before and after the loop count, too.
function M.is_good(result)
  for _, one in ipairs(result.processes) do
    if grows(one) then return false end
  end
  return result.cycles > 0 and result.good == result.cycles and result.stored == result.cycles + 2
    and result.duplicates + result.lost + result.unknown + result.left_active == 0
end

--- The table: {goal, target, reached}, as text.
function M.rows(result)
  local rows = {}
  local function row(goal, target, reached)
    rows[#rows + 1] = { goal, tostring(target), tostring(reached) }
  end
  row("cycles of claim and submission", result.cycles, result.good)
  row("submissions that the coordinator has", result.cycles + 2, result.stored)
  row("duplicate submissions", 0, result.duplicates)
  row("records that the ledger does not know", 0, result.lost)
  row("POSTs of unknown outcome", 0, result.unknown)
  row("claims left active", 0, result.left_active)
  for _, one in ipairs(result.processes) do
    row(one.name .. ": memory, KiB", ("%d"):format(one.memory.before),
      ("%d"):format(one.memory.after))
    row(one.name .. ": descriptors", ("%d"):format(one.files.before),
      ("%d"):format(one.files.after))
  end
  return rows
end

return M
