-- Faults in every flow, at points spread over all calls: `make torture-faults`, and a short
-- form in faults_spec.lua.
local sys = require "core.sys"

local flows = require "tests.faults.flows"
local support = require "tests.support"
local trial = require "tests.faults.trial"

local M = {}

-- Which part of the runs goes to what: a failing call of the system, an allocation that fails, a
-- kill at a call, a kill at a moment.
M.subjects = {
  { what = "calls", part = 0.4 }, { what = "memory", part = 0.2 }, { what = "kill", part = 0.2 },
  { what = "time", part = 0.2 },
}

-- Numbers of calls, evenly spread: one from each of `count` stretches.
local function points(calls, count)
  local list = {}
  count = math.min(count, calls)
  for i = 1, count do
    local first, last = (i - 1) * calls // count + 1, i * calls // count
    list[i] = math.random(first, last)
  end
  return list
end

local function new_row(flow)
  local row = { name = flow.name, wrong = 0, injected = {}, calls = {} }
  for _, subject in ipairs(M.subjects) do row.injected[subject.what] = 0 end
  return row
end

-- A fault that raises in the judge is a finding, too.
local function try(flow, fault)
  local ran, happened, wrong = pcall(trial.try, flow, fault)
  if ran then return happened, wrong end
  return true, ("%s, %s %d (pick %d): %s"):format(flow.name, fault.what, fault.at, fault.pick,
    tostring(happened))
end

local function subject_of_flow(flow, subject, count, row, result)
  local calls = trial.count(flow, subject.what)
  row.calls[subject.what] = calls
  for _, at in ipairs(points(calls, count)) do
    local fault = { what = subject.what, at = at, pick = math.random(0, 11) }
    local happened, wrong = try(flow, fault)
    if happened then row.injected[subject.what] = row.injected[subject.what] + 1 end
    if wrong then
      row.wrong = row.wrong + 1
      result.odd[#result.odd + 1] = wrong
    end
    result.tried = result.tried + 1
    if result.say then result.say(result.tried) end
  end
end

-- Thousands of small folders, away at once.
local function sweep(flow)
  support.run { "rm", "-rf", flow.base }
  flow.base = support.folder()
end

--- Tries faults.
-- @param options {runs= faults in all, seed=, say= function(how many are done) or nil, list= array
--   of flows, or nil for all}
-- @return {rows = array of {name, calls, injected, wrong}, odd = what went wrong, seconds}
function M.run(options)
  math.randomseed(options.seed)
  local stop, list = function() end, options.list
  if not list then list, stop = flows.start() end
  local result, started = { rows = {}, odd = {}, tried = 0, say = options.say }, sys.clock()
  for i, flow in ipairs(list) do
    local row = new_row(flow)
    for _, subject in ipairs(M.subjects) do
      local count = math.ceil(options.runs * subject.part / #list)
      subject_of_flow(flow, subject, count, row, result)
    end
    sweep(flow)
    result.rows[i] = row
  end
  stop()
  result.seconds = sys.clock() - started
  return result
end

--- The table: {flow, calls, failed, allocations, failed, kills, wrong}, as text; a sum at its end.
function M.rows(result)
  local sums, lines = {}, {}
  for _, row in ipairs(result.rows) do
    local cells = { row.calls.calls, row.injected.calls, row.calls.memory, row.injected.memory,
      row.injected.kill + row.injected.time, row.wrong }
    lines[#lines + 1] = { row.name }
    for i, value in ipairs(cells) do
      sums[i] = (sums[i] or 0) + value
      lines[#lines][i + 1] = ("%d"):format(value)
    end
  end
  lines[#lines + 1] = { "all" }
  for i, sum in ipairs(sums) do lines[#lines][i + 1] = ("%d"):format(sum) end
  return lines
end

M.columns = {
  { "FLOW" }, { "CALLS", right = true }, { "FAILED", right = true },
  { "ALLOCATIONS", right = true }, { "FAILED", right = true }, { "KILLS", right = true },
  { "WRONG", right = true },
}

return M
