-- A replay in a checkout: clone, patch, artifact, then what bench.run does in it.
local sys = require "core.sys"

local bench = require "bittern.bench"
local git = require "bittern.git"
local workspace = require "bittern.workspace"

local M = {}

local function is_filled(value)
  return type(value) == "string" and value:find("%S") ~= nil
end

local function seconds_left(deadline)
  return math.max(1, math.ceil(deadline - sys.clock()))
end

local function clone(run, deadline)
  local made, message, code = workspace.clone {
    repository = run.spec.repository, ref = run.spec.base_ref, folder = run.folder,
    timeout = seconds_left(deadline), rehearsal = run.rehearsal,
  }
  if not made or not run.patch:find("%S") then return made, message, code end
  return git.run({ "apply", "-" }, { folder = run.folder, input = run.patch,
    timeout = seconds_left(deadline) })
end

-- Everything before the commands. Nil to go on; what stops the replay; or nil, message, code.
local function prepare(run, fetch, deadline)
  local done, message, code = clone(run, deadline)
  if code == "interrupted" then return nil, message, code end
  if not done then return { unprepared = message } end
  return fetch(run)
end

local times_up = "exceeded the fixed replay time budget$"

-- What a validator says of its own sandbox, which fails and times out in words of its own.
local function of_sandbox(stage, result, message)
  if result and not result.notes:find(times_up) then return result end
  return { status = "error", notes = ("Docker sandbox failed during %s: %s"):format(stage,
    result and "timed out" or message), observed_metrics = nil, log = result and result.log }
end

local function run_commands(run, deadline)
  local stage = "setup"
  local result, message, code = bench.run {
    folder = run.folder, task = run.spec, spec = run.spec, patch = run.patch,
    artifact = run.artifact, uri = run.submission.artifact_uri, artifact_required = run.required,
    env = run.env, sandbox = run.sandbox, datasets = run.datasets,
    seconds = seconds_left(deadline),
    on_stage = function(name) stage = name end,
  }
  if code == "interrupted" then return nil, message, code end
  if result and result.status == "none" then return nil, result.explanation, "bench_error" end
  if run.sandbox then return of_sandbox(stage, result, message) end
  return result, message, code
end

--- Replays a submission in a checkout of its own, which is removed afterwards.
-- @param run {submission=, patch=, spec=, env=, required=, folder=, sandbox=, datasets=,
--   rehearsal = true lets the repository lie on this machine}; fetch adds artifact
-- @param fetch function(run) -> outcome that stops it, or nil, message, code
-- @return {unprepared = why}, or the outcome of `fetch`, or what bench.run gives; nil, message,
--   code when there is nothing to post
function M.replay(run, fetch)
  for _, name in ipairs { "repository", "benchmark_command", "metric_name" } do
    if not is_filled(run.spec[name]) then
      return nil, "the replay spec has no " .. name, "bench_error"
    end
  end
  workspace.remove(run.folder)
  local deadline = sys.clock() + run.spec.time_budget_seconds
  local result, message, code = prepare(run, fetch, deadline)
  if not result and not code then result, message, code = run_commands(run, deadline) end
  workspace.remove(run.folder)
  return result, message, code
end

return M
