-- What a validator would report of a checkout and an artifact: the checks of contract.md 4.3 in
-- their order, stopping at the first that fails.
local fs = require "core.fs"
local process = require "core.process"
local sha256 = require "core.sha256"
local sys = require "core.sys"

local command = require "bittern.bench.command"
local heldout = require "bittern.bench.heldout"
local metric = require "bittern.bench.metric"
local surface = require "bittern.patch.surface"

local M = {}

local BUDGET_SECONDS <const> = 3600
local ARTIFACT <const> = ".autoresearch-submission/artifact"

local function report(status, notes, more)
  local result = { status = status, notes = notes, observed_metrics = {} }
  for key, value in pairs(more or {}) do result[key] = value end
  return result
end

-- The benchmark failed, or rejected and said so.
local function failed(run)
  local marker = run.output:match("validator_rejection=[^\r\n]*")
  return report(marker and "rejected" or "error", ("Replay %s in %s | exit=%d"):format(
    marker and "rejected" or "failed", run.surface, run.benchmark.status), { marker = marker })
end

local function check_patch(run)
  local refused = surface.refuse(run.patch, run.spec)
  if refused then return report("rejected", refused.notes, { marker = refused.marker }) end
  return nil
end

local function unprepared(why)
  return report("error", "Replay preparation failed: " .. why)
end

-- Puts the artifact where validators do.
local function place_artifact(run)
  if not run.artifact then
    local needed = not run.patch:find("%S") or run.artifact_required
    if not needed or run.baseline then return nil end
    return unprepared "submission artifact is required for this replay"
  end
  local place = run.folder .. "/" .. ARTIFACT
  local made, message, code = fs.mkdir(place:match("^(.*)/"))
  if not made then return nil, message, code end
  local done, why, id = process.run { argv = { "cp", "--reflink=auto", "--", run.artifact, place } }
  if not done then return nil, why, id end
  if done.status ~= 0 then return unprepared(done.stderr:match("[^\n]*")) end
  local digest, size, kind = sha256.file(place)
  if not digest then return nil, size, kind end
  run.env.AUTORESEARCH_SUBMISSION_ARTIFACT_PATH = ARTIFACT
  run.env.AUTORESEARCH_SUBMISSION_ARTIFACT_URI = run.uri or "https://published.invalid/" .. digest
  run.env.AUTORESEARCH_SUBMISSION_ARTIFACT_BYTES = ("%d"):format(size)
  run.log[#run.log + 1] = ("submission_artifact_sha256=%s\nsubmission_artifact_bytes=%d"):format(
    digest, size)
  return nil
end

local function place_heldout(run)
  local done, message, code = heldout.prepare(run.folder, run.env, run.datasets)
  if done then return nil end
  if code == "interrupted" or code == "io" or code == "disk_full" then
    return nil, message, code
  end
  return unprepared(message)
end

local function tidy_up(run)
  heldout.remove(run.folder)
  if run.artifact then
    fs.remove(run.folder .. "/" .. ARTIFACT)
    fs.remove(run.folder .. "/" .. ARTIFACT:match("^(.*)/"))
  end
end

-- One command until the common deadline. Returns its result, or nothing when time is over.
local function stage(run, name, text)
  local left = math.ceil(run.deadline - run.clock())
  if left <= 0 then return false end
  run.on_stage(name, text, left)
  local began = run.clock()
  local done, message, code = command.run(text, {
    folder = run.folder, env = command.environment(run.folder, run.env), timeout = left,
    sandbox = run.sandbox,
  })
  if not done then return nil, message, code end
  done.seconds = run.clock() - began
  run.log[#run.log + 1] = command.redacted(("%s exit=%d\n%s\n%s"):format(name, done.status,
    done.stdout, done.stderr), run.own_env)
  run[name] = done
  return not done.timed_out and done
end

local function set_up(run)
  if not (run.task.setup_command or ""):find("%S") then return nil end
  local done, message, code = stage(run, "setup", run.task.setup_command)
  if done == nil then return nil, message, code end
  if not done then return report("error", "Setup exceeded the fixed replay time budget") end
  if done.status == 0 then return nil end
  return report("error", ("Setup failed in %s | exit=%d"):format(run.surface, done.status))
end

local function benchmark(run)
  local done, message, code = stage(run, "benchmark", run.task.benchmark_command)
  if done == nil then return nil, message, code end
  if not done then return report("error", "Benchmark exceeded the fixed replay time budget") end
  run.output = command.redacted(done.stdout .. "\n" .. done.stderr, run.own_env)
  return nil
end

-- Validators look for the result file before they look at the exit status (contract.md 4.3), so a
-- benchmark that rejects and writes nothing is reported as an error.
local function explain(run, result)
  local rejection = run.output:match("validator_rejection=[^\r\n]*")
  if rejection then
    result.marker = rejection
    result.explanation = ("the benchmark rejects it (%s), but wrote no usable result file; "
      .. "validators look for the file first and report an error"):format(rejection)
  end
  return result
end

local function from_file(run, name)
  local value, notes, crash = metric.of(run.payload, name, run.result)
  if value then return value end
  if not crash then return nil, explain(run, report("error", notes)) end
  return nil, report("none", ("%s is %s in %s"):format(name, notes, run.result), {
    explanation = "validators fail over it and post no result at all",
  })
end

-- The values of both metrics; or nil and a report when the result file stops it.
local function values_of(run)
  local task, values = run.task, {}
  if run.result then
    local notes, stopped
    run.payload, notes = metric.read(run.result)
    if run.payload == nil then return nil, explain(run, report("error", notes)) end
    values.first, stopped = from_file(run, task.metric_name)
    if stopped then return nil, stopped end
    if run.secondary then
      values.second, stopped = from_file(run, run.secondary)
      if stopped then return nil, stopped end
    end
  end
  values.first = values.first or metric.of_text(run.output, task.metric_name)
  if run.secondary then
    values.second = values.second or metric.of_text(run.output, run.secondary)
  end
  return values
end

local function accepted(run, values)
  local observed = metric.all(run.payload, run.task.metric_name)
  observed[run.task.metric_name] = values.first
  if run.secondary then observed[run.secondary] = values.second end
  local result = report("accepted", ("Replay succeeded in %s | exit=%d"):format(run.surface,
    run.benchmark.status), { observed_metrics = observed })
  for name, value in pairs(observed) do
    if value ~= value or math.abs(value) == math.huge then
      result.status = "none"
      result.explanation = ("%s is not finite: JSON cannot carry it, so validators post no result")
        :format(name)
      observed[name] = nil
    end
  end
  return result
end

local function verdict(run)
  local values, stopped = values_of(run)
  if not values then return stopped end
  if run.benchmark.status ~= 0 or not values.first then return failed(run) end
  if run.secondary and not values.second then
    return report("error", ("Replay missing secondary metric '%s' in %s"):format(run.secondary,
      run.surface))
  end
  return accepted(run, values)
end

local function filled(value)
  return type(value) == "string" and value:find("%S") and value or nil
end

-- The result's path, which must lie in the checkout.
local function result_path(folder, task)
  local path = filled(task.result_path)
  if not path then return nil end
  if path:find("^/") or ("/" .. path .. "/"):find("/../", 1, true) then
    return nil, ("result_path '%s' leads out of the checkout"):format(path), "config"
  end
  return folder .. "/" .. path
end

local function prepare(options)
  local task, own_env = options.task, options.env or {}
  if not filled(task.benchmark_command) or not filled(task.metric_name) then
    return nil, "the task names no benchmark_command or no metric_name", "config"
  end
  local result, message, code = result_path(options.folder, task)
  if code then return nil, message, code end
  local clock, env = options.clock or sys.clock, {}
  for name, value in pairs(own_env) do env[name] = value end
  return {
    folder = options.folder, task = task, spec = options.spec, patch = options.patch or "",
    artifact = options.artifact, uri = options.uri, env = env, own_env = own_env, log = {},
    artifact_required = options.artifact_required, baseline = options.baseline,
    sandbox = options.sandbox, datasets = options.datasets, result = result,
    surface = options.sandbox and "sandbox" or "host replay", clock = clock,
    secondary = filled(task.secondary_metric_name), output = "",
    deadline = clock() + (options.seconds or task.time_budget_seconds or BUDGET_SECONDS),
    on_stage = options.on_stage or function() end,
  }
end

local function go(run)
  -- A result of an earlier run would stand for this one.
  if run.result then fs.remove(run.result) end
  for _, step in ipairs { check_patch, place_artifact, place_heldout, set_up, benchmark } do
    local stopped, message, code = step(run)
    if stopped then return stopped end
    if code then return nil, message, code end
  end
  return verdict(run)
end

--- Runs a task's setup and benchmark in a checkout.
-- @param options {folder = the checkout, task =, spec = of bittern.patch.spec, patch = text,
--   artifact = path or nil, uri = its address, artifact_required =, baseline = true needs neither,
--   seconds = budget, env = more variables (held-out sources: bench/heldout.lua),
--   datasets = address of the server of rows, sandbox = "bwrap" or nil, clock =,
--   on_stage = function(name, command, seconds left)}
-- @return {status = "accepted"|"rejected"|"error"|"none", notes = the validator's words, marker =,
--   explanation =, observed_metrics =, setup_seconds =, benchmark_seconds =, log = text}; or nil,
--   message, code when it could not be run
-- @usage examples/bench.lua
function M.run(options)
  local run, message, code = prepare(options)
  if not run then return nil, message, code end
  local result, why, id = go(run)
  tidy_up(run)
  if not result then return nil, why, id end
  result.setup_seconds = run.setup and run.setup.seconds
  result.benchmark_seconds = run.benchmark and run.benchmark.seconds
  result.truncated = run.setup and run.setup.truncated or run.benchmark and run.benchmark.truncated
  result.log = table.concat(run.log, "\n")
  return result
end

return M
