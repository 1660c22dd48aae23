-- Drives the steps of a workflow: one after the other, recorded, resumed by running it again.
--
-- A step that is done is not done again while its inputs are the same and its files still hold
-- the recorded bytes. `inputs` says what a step's result depends on; a step without it depends
-- on every setting and on all steps before it. A step that is `always` runs every time. A step
-- with a `preview` changes the world outside: a dry run calls the preview instead, and records
-- nothing of it.
local fs = require "core.fs"
local sha256 = require "core.sha256"
local sys = require "core.sys"

local canonical = require "bittern.canonical"
local check = require "bittern.check"

local M = {}

local step_schema = {
  name = { type = "string" }, run = { type = "function" },
  inputs = { type = "function", optional = true }, always = { type = "boolean", optional = true },
  preview = { type = "function", optional = true },
}

--- Checks the steps of a loaded workflow.
-- @param script table of a workflow script
-- @param path of its file, for messages
-- @return true, or nil, message, "script"
function M.check(script, path)
  local seen = {}
  for i, step in ipairs(script.steps) do
    local ok, message = check.table(step, step_schema)
    if ok and seen[step.name] then ok, message = nil, "its name is taken" end
    if not ok then
      local name = type(step) == "table" and step.name or "?"
      return nil, ("%s:1: workflow: step %d (%s): %s"):format(path, i, name, message), "script"
    end
    seen[step.name] = true
  end
  if #script.steps == 0 then return nil, path .. ":1: workflow: has no steps", "script" end
  return true
end

-- Hash and size of the files that a step's result names, so that a later run can trust them.
local function record_files(result)
  local files = {}
  for i, file in ipairs(result.files or {}) do
    if type(file) == "string" then
      local digest, size, code = sha256.file(file)
      if not digest then return nil, size, code end
      file = { path = file, sha256 = digest, size = size }
    end
    files[i] = file
  end
  if result.files then result.files = canonical.array(files) end
  return true
end

-- Whether the files are still what they were: the name of the first that is not, else nil.
local function changed_file(result)
  for _, file in ipairs(result.files or {}) do
    local info = fs.stat(file.path)
    local same = info and info.size == file.size and sha256.file(file.path) == file.sha256
    if not same then return file.path end
  end
  return nil
end

-- The text that decides whether a recorded result can be used again.
local function inputs_of(step, ctx, state)
  if step.always then return "" end
  local value = step.inputs and step.inputs(ctx, state) or ctx.settings or {}
  local text, message = canonical.encode(value)
  if not text then error(("step %s: inputs: %s"):format(step.name, message), 0) end
  return sha256.hex(text)
end

-- Whether what a step gave before still holds.
local function holds(ctx, step, recorded, inputs)
  if step.always or not recorded or recorded.state ~= "done" then return false end
  if recorded.inputs ~= inputs then
    ctx.report.detail(("  %s: something that it depends on has changed"):format(step.name))
    return false
  end
  local changed = changed_file(recorded.result)
  if changed then
    ctx.report.warn(("%s changed since step '%s' wrote it; doing that step again"):format(
      changed, step.name))
  end
  return not changed
end

local function seconds(from)
  local spent = sys.clock() - from
  return spent < 10 and ("%.2f s"):format(spent) or ("%.0f s"):format(spent)
end

-- Steps after `index` that name no inputs depend on what that step gives. Recorded before the
-- step runs, so that being killed in between leaves no stale result behind.
local function begin(ctx, steps, index, inputs)
  for i = index + 1, steps[index].always and index or #steps do
    if not steps[i].inputs then
      local ok, message, code = ctx.ledger:spoil_step(ctx.run.id, steps[i].name)
      if not ok then return nil, message, code end
    end
  end
  return ctx.ledger:begin_step(ctx.run.id, steps[index].name, inputs)
end

-- Runs one step and records what became of it before anybody hears of it.
local function perform(ctx, steps, index, state, inputs, before)
  local step, started = steps[index], sys.clock()
  local ok, message, code = begin(ctx, steps, index, inputs)
  if not ok then return nil, message, code end
  local result, line, id = step.run(ctx, state, before)
  if result == nil then
    ctx.ledger:fail_step(ctx.run.id, step.name, tostring(line))
    return nil, line, id
  end
  if type(result) ~= "table" then error(("step '%s' must return a table"):format(step.name), 0) end
  ok, message, code = record_files(result)
  if not ok then return nil, message, code end
  ok, message, code = ctx.ledger:end_step(ctx.run.id, step.name, result, line or "")
  if not ok then return nil, message, code end
  ctx.report.step(step.name, ("%s (%s)"):format(line or "done", seconds(started)))
  return result
end

-- A step of a dry run that would change the world outside.
local function preview(ctx, step, state)
  local result, line, code = step.preview(ctx, state)
  if result == nil then return nil, line, code end
  ctx.report.step(step.name, line or "not done: --dry-run")
  return result
end

-- What a step gives: recorded before, or done now.
local function one(ctx, steps, index, state)
  local step = steps[index]
  if ctx.dry_run and step.preview then return preview(ctx, step, state) end
  local inputs = inputs_of(step, ctx, state)
  local recorded, message, code = ctx.ledger:step(ctx.run.id, step.name)
  if recorded == nil then return nil, message, code end
  if holds(ctx, step, recorded, inputs) then
    ctx.report.step(step.name, recorded.line .. " (done before)")
    return recorded.result
  end
  return perform(ctx, steps, index, state, inputs, recorded and recorded.result or nil)
end

--- Runs the steps in order and ends with what each of them gave.
-- A step is called with ctx, the results so far by name, and what it gave the last time or nil.
-- @param script a workflow script; examples/workflows/rehearse.lua is one
-- @param ctx what steps see: at least ledger, run, report, settings; dry_run = true to preview
-- @return {step name = result}, or nil, message, code of the step that failed
function M.run(script, ctx)
  local state = {}
  for i, step in ipairs(script.steps) do
    local result, message, code = one(ctx, script.steps, i, state)
    if result == nil then return nil, message, code end
    state[step.name] = result
  end
  return state
end

--- What the steps of a run gave, as recorded.
-- @param script a loaded workflow
-- @param ledger an open one
-- @return {step name = result}, or nil, message, code
function M.recorded(script, ledger, run)
  local state = {}
  for _, step in ipairs(script.steps) do
    local recorded, message, code = ledger:step(run.id, step.name)
    if recorded == nil then return nil, message, code end
    state[step.name] = recorded and recorded.result or nil
  end
  return state
end

--- The run that a command continues, or a new one. A run that has ended is not done again when the
-- same is asked for: it is given back as it ended.
-- @param ledger an open ledger
-- @param key {workflow=, slug=, coordinator=, hotkey=}
-- @param settings table that JSON can hold: what is asked for
-- @param restart true starts anew in any case
-- @return run and "new", "continued" or "ended"; or nil, message, code
function M.begin(ledger, key, settings, restart)
  local text = assert(canonical.encode(settings))
  local run, message, code = ledger:last_run(key)
  if run == nil then return nil, message, code end
  local decided = run and run.state ~= "open" and run.state ~= "abandoned"
  if decided and not restart and run.settings == text then
    return run, "ended"
  end
  if run and not restart and run.state == "open" then
    local taken
    taken, message, code = ledger:take_run(run.id, text)
    if not taken then return nil, message, code end
    return run, "continued"
  end
  if run and run.state == "open" then
    local ended
    ended, message, code = ledger:end_run(run.id, "abandoned")
    if not ended then return nil, message, code end
  end
  run, message, code = ledger:start_run(key, text)
  if not run then return nil, message, code end
  return run, "new"
end

return M
