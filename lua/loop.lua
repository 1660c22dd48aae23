-- A command again and again: which of its ends call for another try, another cycle, or the end.
local errors = require "bittern.errors"

local M = {}

-- By exit code (lua/errors.lua); what is not here has failed, and costs its cycle.
local again = { [5] = true, [6] = true, [8] = true, [11] = true, [15] = true }
local stops = {
  [2] = "the command line is wrong", [3] = "the configuration is wrong",
  [4] = "this hotkey may not do it; more tries would not help", [7] = "there is nothing to work on",
  [13] = "the disk is in the way", [14] = "a script is at fault", [130] = "interrupted",
}

local PENDING <const> = 8
local CAP <const> = 60

local function pause_of(options, world, try, exit)
  if exit == PENDING then return options.interval end
  return world.random() * math.min(CAP, 2 ^ try)
end

-- One cycle: the command until it ends in a way that another try cannot better.
local function cycle(options, world, number)
  local started, try = world.clock(), 0
  local deadline = started + (options.cycle_time or math.huge)
  while true do
    try = try + 1
    local exit, message, code = world.run(number, deadline - world.clock())
    if not exit then return nil, message, code end
    local pause = again[exit] and pause_of(options, world, try, exit)
    local over = pause and world.clock() + pause >= deadline
    if not pause or over then
      return { cycle = number, exit = exit, tries = try, seconds = world.clock() - started }
    end
    world.say(("cycle %d: exit %d; again in %.1f s"):format(number, exit, pause))
    local slept, why, id = world.sleep(pause)
    if not slept then return nil, why, id end
  end
end

-- Why the loop ends after a cycle, or nil.
local function reason(options, result, failures)
  if stops[result.exit] then return stops[result.exit] end
  if result.exit == 0 and options.stop_on_success then return "done" end
  if result.exit == PENDING then return "the submission is still pending" end
  if failures >= options.failures then return ("%d cycles failed in a row"):format(failures) end
  return nil
end

--- Runs cycles until they are all done, or one ends in a way that ends the loop.
-- @param options {cycles= 0 for no end, interval= seconds between cycles, cycle_time= seconds for
--   one or nil, failures= in a row that end the loop, stop_on_success=}
-- @param world {run= function(cycle, seconds left) -> exit code, or nil, message, code; sleep=,
--   clock=, random=, say=, ended= function(result of a cycle)}
-- @return exit code of the last cycle and why the loop ended, or nil, message, code
function M.run(options, world)
  local number, failures = 0, 0
  while true do
    number = number + 1
    local result, message, code = cycle(options, world, number)
    if not result then return nil, message, code end
    world.ended(result)
    failures = result.exit == 0 and 0 or failures + 1
    local why = reason(options, result, failures)
    if why then return result.exit, why end
    if number == options.cycles then return result.exit, "all cycles are done" end
    local slept, wrong, id = world.sleep(options.interval)
    if not slept then return nil, wrong, id end
  end
end

--- The exit code of a command that was ended by its time or a signal.
M.KILLED = errors.exit(nil)

return M
