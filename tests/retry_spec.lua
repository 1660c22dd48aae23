-- bittern.retry with a clock, a sleep and a die of our own.
local retry = require "bittern.retry"

-- A world whose time only passes by sleeping; what it said and how long it slept.
local function world(extra)
  local w = { time = 0, slept = {}, said = {} }
  w.options = {
    clock = function() return w.time end,
    now = function() return 784111777 + w.time end, -- Sun, 06 Nov 1994 08:49:37 GMT
    sleep = function(seconds)
      w.slept[#w.slept + 1] = seconds
      w.time = w.time + seconds
      return true
    end,
    random = function() return 0.5 end,
    say = function(text) w.said[#w.said + 1] = text end,
  }
  for key, value in pairs(extra or {}) do w.options[key] = value end
  return w
end

-- An attempt that plays back results and counts.
local function playing(...)
  local results, calls = { ... }, { count = 0 }
  return function()
    calls.count = calls.count + 1
    return table.unpack(results[math.min(calls.count, #results)], 1, 4)
  end, calls
end

local down = { nil, "refused", "unreachable" }
local broken = { nil, "reset", "network" }

local function answer(status, after)
  return { { status = status, headers = { ["retry-after"] = after } } }
end

describe("retry.run", function()
  it("returns the first good answer at once", function()
    local w = world()
    local attempt, calls = playing(answer(200))
    assert.equal(200, retry.run(attempt, w.options).status)
    assert.equal(1, calls.count)
    assert.same({}, w.slept)
  end)

  it("doubles with full jitter, six tries in all", function()
    local w = world()
    local attempt, calls = playing(down)
    local response, message, code = retry.run(attempt, w.options)
    assert.is_nil(response)
    assert.equal("refused (6 tries)", message)
    assert.equal("unreachable", code)
    assert.equal(6, calls.count)
    assert.same({ 0.5, 1.0, 2.0, 4.0, 8.0 }, w.slept)
    assert.equal("refused; again in 0.5 s", w.said[1])
  end)

  it("waits nothing or everything, as the die falls, up to the cap", function()
    local w = world { random = function() return 0 end }
    retry.run(playing(down), w.options)
    assert.same({ 0, 0, 0, 0, 0 }, { table.unpack(w.slept) })
    w = world { random = function() return 1 end, cap = 3 }
    retry.run(playing(down), w.options)
    assert.same({ 1, 2, 3, 3, 3 }, { table.unpack(w.slept) })
  end)

  it("repeats what may have been seen only when that does no harm", function()
    local attempt, calls = playing(broken, answer(200))
    assert.equal("network", select(3, retry.run(attempt, world().options)))
    assert.equal(1, calls.count)
    attempt = playing(broken, { nil, "late", "timeout" }, answer(200))
    assert.equal(200, retry.run(attempt, world { idempotent = true }.options).status)
    attempt, calls = playing(answer(503))
    assert.equal(503, retry.run(attempt, world().options).status)
    assert.equal(1, calls.count)
    attempt = playing(answer(503), answer(429), answer(200))
    assert.equal(200, retry.run(attempt, world { idempotent = true }.options).status)
  end)

  it("repeats nothing that another try cannot mend", function()
    for _, result in ipairs { answer(404), answer(422), { nil, "bad name", "tls" },
      { nil, "too big", "too_large" }, { nil, "interrupted", "interrupted" } } do
      local attempt, calls = playing(result)
      retry.run(attempt, world { idempotent = true }.options)
      assert.equal(1, calls.count)
    end
  end)

  it("heeds an attempt that says it cannot be repeated", function()
    local attempt, calls = playing { nil, "reset", "network", false }
    retry.run(attempt, world { idempotent = true }.options)
    assert.equal(1, calls.count)
  end)

  it("heeds both forms of Retry-After", function()
    local w = world { idempotent = true }
    retry.run(playing(answer(503, "7"), answer(503, "Sun, 06 Nov 1994 08:50:00 GMT"), answer(200)),
      w.options)
    assert.same({ 7, 16 }, w.slept)
    assert.equal("status 503; again in 7.0 s, as the server asks", w.said[1])
  end)

  it("names what answered, without its query", function()
    local w = world { idempotent = true }
    retry.run(function() return { status = 503, headers = {}, url = "http://a/b?token=x" } end,
      w.options)
    assert.matches("^http://a/b answers 503; again in ", w.said[1])
  end)

  it("treats a date that has passed as now, and nonsense as nothing", function()
    local w = world { idempotent = true }
    retry.run(playing(answer(503, "Sun, 06 Nov 1994 08:00:00 GMT"), answer(503, "soon"),
      answer(200)), w.options)
    assert.same({ 0, 1.0 }, w.slept)
  end)

  it("caps a long Retry-After and says so", function()
    local w = world { idempotent = true }
    retry.run(playing(answer(429, "3600"), answer(200)), w.options)
    assert.same({ 60 }, w.slept)
    assert.equal("status 429; again in 60.0 s, though the server asks for 3600 s", w.said[1])
  end)

  it("caps a date that lies years ahead, though the clock has fractions", function()
    local w = world { idempotent = true, now = function() return 784111776.5 end }
    retry.run(playing(answer(503, "Sun, 06 Nov 2094 08:49:37 GMT"), answer(200)), w.options)
    assert.same({ 60 }, w.slept)
    assert.truthy(w.said[1]:find("though the server asks for 3155760000 s", 1, true), w.said[1])
  end)

  it("caps an absurd Retry-After", function()
    local w = world { idempotent = true }
    retry.run(playing(answer(429, ("9"):rep(40)), answer(200)), w.options)
    assert.same({ 60 }, w.slept)
  end)

  it("gives up rather than pass the total", function()
    local w = world { idempotent = true, total = 100 }
    local attempt, calls = playing(answer(503, "60"))
    assert.equal(503, retry.run(attempt, w.options).status)
    assert.equal(2, calls.count)
    assert.equal(60, w.time)
  end)

  it("stops when its sleep is interrupted", function()
    local w = world { sleep = function() return nil, "interrupted", "interrupted" end }
    assert.same({ nil, "interrupted", "interrupted" }, { retry.run(playing(down), w.options) })
  end)

  it("refuses options it does not know", function()
    assert.has_error(function() retry.run(print, { trys = 3 }) end,
      "retry.run: unknown key 'trys'; did you mean 'tries'?")
  end)
end)

describe("retry.date", function()
  it("reads HTTP dates, leap days included", function()
    assert.equal(784111777, retry.date("Sun, 06 Nov 1994 08:49:37 GMT"))
    assert.equal(0, retry.date("Thu, 01 Jan 1970 00:00:00 GMT"))
    assert.equal(951782400, retry.date("Tue, 29 Feb 2000 00:00:00 GMT"))
    assert.equal(4102444799, retry.date("Thu, 31 Dec 2099 23:59:59 GMT"))
  end)

  it("gives nil for anything else", function()
    for _, text in ipairs { "", "120", "Sun, 06 Foo 1994 08:49:37 GMT", "1994-11-06T08:49:37Z" } do
      assert.is_nil(retry.date(text))
    end
  end)
end)
