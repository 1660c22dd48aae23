-- What `make torture-faults` does at length, in short; and that it would notice.
local fs = require "core.fs"
local support = require "tests.support"

local campaign = require "tests.faults.campaign"
local injector = require "tests.faults.injector"
local trial = require "tests.faults.trial"

-- A flow whose command is this script.
local function scripted(text)
  local flow = { name = "scripted", base = support.folder() }
  local script = flow.base .. "/script.lua"
  assert(fs.write(script, text))
  function flow.argv(place) return { "run", script, place .. "/out" } end
  function flow.judge(place)
    local there = fs.read(place .. "/out")
    if not there then return "none" end
    if there == "one, two" then return "new" end
    return nil, "torn: " .. there
  end
  return flow
end

-- Complaints about its last calls, each failing once.
local function wrong_of(text)
  local flow, odd = scripted(text), {}
  local calls = trial.count(flow, "calls")
  for at = calls - 9, calls do
    local _, wrong = trial.try(flow, { what = "calls", at = at, pick = 0 })
    odd[#odd + 1] = wrong
  end
  return odd
end

describe("a fault", function()
  it("hits the call that is named, and says which it was", function()
    local home = support.folder()
    assert(fs.write(home .. "/file", "bytes"))
    local argv = { "hash", home .. "/file" }
    local counted = injector.run(home, argv, { what = "calls", at = 0 })
    assert.equal(0, counted.status)
    assert.equal(0, counted.injected)
    assert.is_true(counted.calls > 10)
    local done
    for at = counted.calls, 1, -1 do
      done = injector.run(home, argv, { what = "calls", at = at, pick = 0 })
      if done.call:find("^open EIO .*/file$") then break end
    end
    assert.equal("open EIO " .. home .. "/file", done.call)
    assert.equal(13, done.status)
    assert.matches("Input/output error", done.stderr)
  end)

  it("is noticed where a command is careless", function()
    local careless = [[
      local file = io.open(..., "w")
      file:setvbuf "no"
      file:write "one, "
      file:write "two"
      file:close() ]]
    assert.matches("torn: ", table.concat(wrong_of(careless), "\n"))
    assert.same({}, wrong_of [[return require("core.fs").write(..., "one, two")]])
  end)
end)

describe("a folder whose listing breaks off", function()
  it("is not packed", function()
    local home = support.folder()
    assert(fs.mkdir(home .. "/model"))
    assert(fs.write(home .. "/model/config.json", "{}"))
    assert(fs.write(home .. "/model/model.safetensors", "weights"))
    local argv = { "pack", home .. "/model", "--out", home .. "/a.zip" }
    local tried = 0
    for at = injector.run(home, argv, { what = "calls", at = 0 }).calls, 1, -1 do
      local done = injector.run(home, argv, { what = "calls", at = at, pick = 0 })
      if done.call:find "^%a+d%a+64 EIO .*/model$" then
        assert.equal(13, done.status, done.call)
        tried = tried + 1
      elseif tried > 0 then
        break
      end
    end
    assert.is_true(tried > 0)
  end)
end)

describe("failing calls, failing allocations and kills", function()
  it("leave what was there before or what is right, in 60 of them", function()
    local seed = math.tointeger(support.python("import random; print(random.randrange(1 << 30))"))
    local result = campaign.run { runs = 60, seed = seed }
    assert.same({}, result.odd, "seed " .. seed)
    local sum = campaign.rows(result)[#result.rows + 1]
    assert.is_true(tonumber(sum[3]) >= 24 and tonumber(sum[6]) >= 10, table.concat(sum, " "))
  end)
end)
