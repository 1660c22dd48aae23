-- One fault in one flow: the command with it, what it leaves, and the same command again.
local fs = require "core.fs"
local sys = require "core.sys"

local errors = require "bittern.errors"

local injector = require "tests.faults.injector"

local M = {}

local TRIES <const> = 8

-- Exit codes after which a user runs the same command again.
local passing <const> = { [5] = true, [6] = true, [8] = true, [11] = true, [15] = true }

local documented = {}
for _, exit in ipairs(errors.exits) do documented[exit[1]] = true end

-- glibc ends the process where a library's first thread-local variable finds no memory at all.
local NO_TLS <const> = "cannot allocate memory for thread-local data: ABORT"

-- A home of its own for a trial.
local function place_of(flow, name)
  local place = ("%s/%s"):format(flow.base, name)
  assert(fs.mkdir(place, 0x1C0))
  if flow.prepare then flow.prepare(place) end
  return place
end

-- What it prints is compared with other runs, so places have no names there.
local function run(flow, place, fault)
  local started = sys.clock()
  local done = injector.run(place, flow.argv(place), fault, flow)
  done.stdout = done.stdout:gsub(place:gsub("%p", "%%%0"), "HOME")
  done.milliseconds = (sys.clock() - started) * 1000 // 1 | 0
  return done
end

--- A run without a fault, which tells what is right and how many calls there are.
-- @param what "calls", "memory", "kill" or "time"
-- @return how many; of time, the milliseconds it takes
function M.count(flow, what)
  local place = place_of(flow, "count-" .. what)
  local done = run(flow, place, { what = what, at = 0 })
  assert(done.status == 0, ("%s: exit %s: %s"):format(flow.name, done.status, done.stderr))
  flow.right = done.stdout
  if flow.learn then flow.learn(place) end
  return what == "time" and done.milliseconds or done.calls
end

-- How the program may end: a kill is a kill, all else has a documented exit code.
local function end_of(done, fault)
  if done.signal then
    local killed = done.signal == 9 and (fault.what == "kill" or fault.what == "time")
    if killed then return nil end
    return ("ended by signal %d"):format(done.signal)
  end
  if done.status == 127 and done.stderr:find(NO_TLS, 1, true) then return nil end
  if not documented[done.status] then return ("exit %d"):format(done.status) end
  return nil
end

-- What is there: nothing or the old, or the new; a success is one.
local function left_by(flow, place, done)
  local state, why = flow.judge(place, done)
  if not state then return why end
  if done.status ~= 0 then return nil end
  if state ~= "new" then return ("success, and what is there is %s"):format(state) end
  if flow.prints and done.stdout ~= flow.right and done.stderr == "" then
    return "success, and prints something else without a warning"
  end
  return nil
end

local function again(flow, place)
  local done
  for _ = 1, TRIES do
    done = run(flow, place)
    if not passing[done.status] then break end
  end
  if done.status ~= 0 then
    return ("without the fault: exit %s: %s"):format(done.status or done.signal, done.stderr)
  end
  local wrong = left_by(flow, place, done)
  return wrong and "without the fault: " .. wrong
end

--- Tries one fault.
-- @param flow one of tests/faults/flows.lua
-- @param fault as injector.run
-- @return whether the fault happened, what is wrong or nil, what the command said
function M.try(flow, fault)
  local place = place_of(flow, ("%s-%d"):format(fault.what, fault.at))
  local done = run(flow, place, fault)
  local wrong = end_of(done, fault) or left_by(flow, place, done) or again(flow, place)
  if wrong then
    wrong = ("%s, %s %d (pick %d; %s): %s"):format(flow.name, fault.what, fault.at,
      fault.pick, done.call, wrong)
  end
  return done.injected > 0, wrong, done
end

return M
