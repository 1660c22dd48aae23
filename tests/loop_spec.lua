local loop = require "bittern.loop"

-- A world whose command ends with these exit codes in turn, each after a second.
local function world(exits)
  local w = { time = 0, runs = {}, results = {}, slept = {} }
  function w.run(cycle)
    w.runs[#w.runs + 1] = cycle
    w.time = w.time + 1
    return exits[#w.runs] or 0
  end
  function w.sleep(seconds)
    w.slept[#w.slept + 1] = seconds
    w.time = w.time + seconds
    return true
  end
  function w.clock() return w.time end
  function w.random() return 1 end
  function w.say() end
  function w.ended(result) w.results[#w.results + 1] = result.exit end
  return w
end

local function run(exits, changes)
  local w = world(exits)
  local options = { cycles = 3, interval = 15, failures = 2 }
  for key, value in pairs(changes or {}) do options[key] = value end
  local exit, why = loop.run(options, w)
  return w, exit, why
end

describe("a loop", function()
  it("does its cycles, with a pause between them", function()
    local w, exit, why = run { 0, 0, 0 }
    assert.same({ 1, 2, 3 }, w.runs)
    assert.same({ 15, 15 }, w.slept)
    assert.same({ 0, "all cycles are done" }, { exit, why })
  end)

  it("ends at the first success when that is asked for", function()
    local w, exit = run({ 9, 0 }, { stop_on_success = true })
    assert.same({ { 9, 0 }, 0 }, { w.results, exit })
  end)

  it("tries the same cycle again with back-off for what passes", function()
    local w = run { 6, 5, 15, 0, 0, 0 }
    assert.same({ 1, 1, 1, 1, 2, 3 }, w.runs)
    assert.same({ 2, 4, 8, 15, 15 }, w.slept)
  end)

  it("follows what is pending within the time of the cycle, and ends when that is over", function()
    local w, exit, why = run({ 8, 8, 8, 8, 8 }, { cycle_time = 40 })
    assert.same({ 1, 1, 1 }, w.runs)
    assert.same({ 8, "the submission is still pending" }, { exit, why })
  end)

  it("ends after too many failures in a row", function()
    local w, exit, why = run({ 9, 0, 9, 10 }, { cycles = 0 })
    assert.same({ 9, 0, 9, 10 }, w.results)
    assert.same({ 10, "2 cycles failed in a row" }, { exit, why })
  end)

  for exit, said in pairs { [4] = "this hotkey may not", [3] = "configuration", [7] = "nothing to",
    [130] = "interrupted", [14] = "script" } do
    it(("ends at once with exit code %d"):format(exit), function()
      local w, last, why = run { exit }
      assert.same({ 1, exit }, { #w.runs, last })
      assert.matches(said, why)
    end)
  end

  it("ends when it is interrupted while it waits", function()
    local w = world { 5 }
    w.sleep = function() return nil, "interrupted", "interrupted" end
    assert.equal("interrupted",
      select(3, loop.run({ cycles = 1, interval = 1, failures = 1 }, w)))
  end)
end)
