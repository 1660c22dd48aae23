local fs = require "core.fs"

local ledgers = require "bittern.ledger"
local support = require "tests.support"
local workflow = require "bittern.workflow"

local key = { workflow = "w", slug = "s", coordinator = "http://127.0.0.1:1", hotkey = "5Fx" }

local function quiet(lines)
  return {
    step = function(name, text)
      lines[#lines + 1] = name .. " " .. text:gsub("[%d.]+ s%)", "T)")
    end,
    detail = function() end, warn = function(text) lines[#lines + 1] = "warning " .. text end,
  }
end

describe("workflow", function()
  local folder, ledger, lines, did

  before_each(function()
    folder = support.folder()
    ledger = assert(ledgers.open(folder .. "/ledger.db"))
    lines, did = {}, {}
  end)
  after_each(function() ledger:close() end)

  local function run(steps, settings)
    lines, did = {}, {}
    local ctx = {
      ledger = ledger, run = assert(workflow.begin(ledger, key, {})), report = quiet(lines),
      settings = settings or {},
    }
    return workflow.run({ steps = steps }, ctx)
  end

  local function step(name, more)
    local made = {
      name = name,
      run = function(_, state)
        did[#did + 1] = name
        return { of = name, before = state.first and state.first.of }, "did " .. name
      end,
    }
    for field, value in pairs(more or {}) do made[field] = value end
    return made
  end

  it("runs its steps in order, each with the results of those before it", function()
    local state = assert(run { step "first", step "second" })
    assert.same({ "first", "second" }, did)
    assert.equal("first", state.second.before)
    assert.same({ "first did first (T)", "second did second (T)" }, lines)
  end)

  it("stops at the step that fails and goes on from there the next time", function()
    local broken = step("second", { run = function() return nil, "no disk", "disk_full" end })
    local state, message, code = run { step "first", broken, step "third" }
    assert.is_nil(state)
    assert.same({ "no disk", "disk_full" }, { message, code })
    assert.equal("failed", ledger:step(1, "second").state)
    assert.is_truthy(run { step "first", step "second", step "third" })
    assert.same({ "second", "third" }, did)
    assert.equal("first did first (done before)", lines[1])
  end)

  it("does a step again that raised an error or was killed half-way", function()
    local broken = step("second", { run = function() error("bug") end })
    assert.has_error(function() run { step "first", broken } end)
    assert.equal("running", ledger:step(1, "second").state)
    assert(run { step "first", step "second" })
    assert.same({ "second" }, did)
  end)

  it("does everything again that depends on a changed setting", function()
    local steps = {
      step("first", { inputs = function(ctx) return { a = ctx.settings.a } end }),
      step("second", { inputs = function(ctx) return { b = ctx.settings.b } end }),
      step "third",
    }
    assert(run(steps, { a = 1, b = 1 }))
    assert(run(steps, { a = 1, b = 1 }))
    assert.same({}, did)
    assert(run(steps, { a = 1, b = 2 }))
    assert.same({ "second", "third" }, did)
    assert(run(steps, { a = 2, b = 2 }))
    assert.same({ "first", "third" }, did)
  end)

  it("keeps no stale result when it is killed between two steps that are done again", function()
    local path, fail = folder .. "/out", false
    local maker = step("first", { run = function()
      if fail then error("killed") end
      assert(fs.write(path, "made"))
      return { files = { path } }, "made"
    end })
    local steps = { maker, step "second" }
    assert(run(steps))
    os.remove(path)
    fail = true
    assert.has_error(function() run(steps) end)
    fail = false
    assert.equal("stale", ledger:step(1, "second").state)
    assert(run(steps))
    assert.same({ "second" }, did)
  end)

  it("runs a step that is `always` every time, without repeating what follows", function()
    assert(run { step("first", { always = true }), step "second" })
    assert(run { step("first", { always = true }), step "second" })
    assert.same({ "first" }, did)
  end)

  it("does a step again when its file is not what it was, and warns", function()
    local path = folder .. "/out"
    local maker = step("first", { run = function()
      did[#did + 1] = "first"
      assert(fs.write(path, "made"))
      return { files = { path } }, "made"
    end })
    local steps = { maker, step "second" }
    assert(run(steps))
    assert.equal(4, ledger:step(1, "first").result.files[1].size)
    assert(fs.write(path, "meddled"))
    assert(run(steps))
    assert.same({ "first", "second" }, did)
    assert.matches("warning .*/out changed since step 'first'", lines[1])
    os.remove(path)
    assert(run(steps))
    assert.same({ "first", "second" }, did)
    assert(run(steps))
    assert.same({}, did)
  end)

  it("fails when a step names a file that is not there", function()
    local function lie() return { files = { folder .. "/none" } }, "made" end
    local state, message, code = run { step("first", { run = lie }) }
    assert.is_nil(state)
    assert.matches("none", message)
    assert.equal("not_found", code)
  end)

  local function begin(settings, restart)
    local begun, how = workflow.begin(ledger, key, settings, restart)
    return { begun.id, how }
  end

  it("starts anew on demand and leaves the old run as abandoned", function()
    assert.same({ 1, "new" }, begin({ a = 1 }))
    assert.same({ 1, "continued" }, begin({ a = 1 }))
    assert.same({ 2, "new" }, begin({ a = 1 }, true))
    assert.equal("abandoned", ledger:query("SELECT state FROM runs WHERE id = 1")[1].state)
    assert.same({ 2, "continued" }, begin({ a = 1 }))
  end)

  it("continues an unfinished run with other settings", function()
    begin { a = 1 }
    assert.same({ 1, "continued" }, begin { a = 2 })
    assert(ledger:end_run(1, "done"))
    assert.same({ 1, "ended" }, begin { a = 2 })
  end)

  it("does not do again what has ended, unless something else is asked for", function()
    begin { a = 1 }
    assert(ledger:end_run(1, "accepted"))
    assert.same({ 1, "ended" }, begin { a = 1 })
    assert.same({ 2, "new" }, begin { a = 2 })
    assert(ledger:end_run(2, "accepted"))
    assert.same({ 3, "new" }, begin({ a = 2 }, true))
  end)

  it("gives a step what it gave the last time", function()
    local seen = {}
    local counter = { name = "count", always = true, run = function(_, _, before)
      seen[#seen + 1] = before and before.n or 0
      return { n = seen[#seen] + 1 }
    end }
    assert(run { counter })
    assert(run { counter })
    assert(run { counter })
    assert.same({ 0, 1, 2 }, seen)
  end)

  it("refuses steps that are not steps, with file and field", function()
    local function complaint(steps)
      local ok, message, code = workflow.check({ steps = steps }, "/x/w.lua")
      assert.is_nil(ok)
      assert.equal("script", code)
      return message
    end
    assert.matches("/x/w.lua:1: workflow: has no steps", complaint {}, 1, true)
    assert.matches("step 1 %(a%): key 'run' is missing", complaint { { name = "a" } })
    assert.matches("step 2 %(a%): its name is taken", complaint { step "a", step "a" })
    assert.matches("unknown key 'alway'; did you mean 'always'",
      complaint { step("a", { alway = true }) })
    assert.is_true(workflow.check({ steps = { step "a", step "b" } }, "/x/w.lua"))
  end)
end)
