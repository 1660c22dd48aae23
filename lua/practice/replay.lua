-- One validator job, from the submission to the result that is posted: the checks of contract.md
-- 4.3 and 4.4 in their order, stopping at the first that fails. It is replayed in a checkout of the
-- task's repository; the artifact alone, for a task that ships, is scored in this process.
local fs = require "core.fs"

local json = require "bittern.json"
local surface = require "bittern.patch.surface"

local checkout = require "bittern.practice.checkout"
local download = require "bittern.practice.download"
local tasks = require "bittern.practice.tasks"

local M = {}

local SURFACE <const> = "practice replay"
local TEXT_MAX <const> = 128000
local BUDGET_SECONDS <const> = 3600

local spec_fields = {
  "repository", "base_ref", "base_commit_sha", "setup_command", "benchmark_command", "result_path",
  "allowed_patch_paths", "max_patch_bytes", "metric_name", "metric_direction", "ranking_mode",
  "secondary_metric_name", "secondary_metric_direction", "time_budget_seconds",
}

local truths = { ["1"] = true, ["true"] = true, ["yes"] = true }

local function outcome(status, notes, metrics, log)
  return {
    status = status, notes = notes:sub(1, TEXT_MAX), observed_metrics = metrics or json.null,
    replay_log = (log or notes):sub(1, TEXT_MAX),
  }
end

local function unprepared(why)
  return outcome("error", "Replay preparation failed: " .. why)
end

local function text_of(value)
  return type(value) == "string" and value or ""
end

-- The task of a job that needs no checkout: it ships, and there is no patch, or nothing to patch.
local function scored_here(job, run)
  if run.patch:find("%S") and text_of(run.spec.repository):find("^/") then return nil end
  local slug = type(job.task) == "table" and job.task.slug
  for _, task in ipairs(tasks) do
    if task.record.slug == slug then return task end
  end
  return nil
end

-- What is to be replayed: the job's spec, what it lacks from the task (contract.md 4.2).
local function spec_of(job)
  local given, task, spec = job.replay_spec or {}, job.task or {}, {}
  for _, name in ipairs(spec_fields) do
    local value = given[name]
    if value == nil or value == json.null then value = task[name] end
    if value ~= json.null then spec[name] = value end
  end
  spec.base_ref = spec.base_commit_sha or spec.base_ref or job.submission.base_ref or "HEAD"
  spec.time_budget_seconds = spec.time_budget_seconds or BUDGET_SECONDS
  return spec
end

local function environment_of(job)
  local spec, env = job.replay_spec or {}, {}
  for name, value in pairs(spec.validator_benchmark_env or spec.benchmark_env or {}) do
    env[name] = tostring(value)
  end
  return env
end

-- Fetches the artifact, which run.artifact names from then on. Nil when the replay goes on, else
-- the outcome, or nil, message, code.
local function fetch(run)
  local fetched, message, code = download.fetch(run.submission, run.path)
  if code == "interrupted" then return nil, message, code end
  run.artifact = fetched and run.path or nil
  return not fetched and run.required and unprepared(message) or nil
end

local function score(run, task, benchmark)
  local result, message, code = benchmark(run.path, task)
  if code == "interrupted" then return nil, message, code end
  if not result then
    return outcome("error", ("Replay failed in %s | exit=1 | %s"):format(SURFACE, message))
  end
  if result.rejection then
    local notes = ("Replay rejected in %s | exit=1 | %s"):format(SURFACE, result.rejection)
    return outcome("rejected", notes, nil, result.rejection)
  end
  return outcome("accepted", ("Replay succeeded in %s | exit=0"):format(SURFACE), result.metrics)
end

local function replay_shipped(run, task, benchmark)
  local stopped, message, code = fetch(run)
  if stopped or code then return stopped, message, code end
  return score(run, task, benchmark)
end

local function replay_checkout(run)
  local result, message, code = checkout.replay(run, fetch)
  if not result then return nil, message, code end
  if result.unprepared then return unprepared(result.unprepared) end
  return outcome(result.status, result.notes, result.observed_metrics, result.log)
end

--- Replays a job.
-- @param job as the scan route answers it
-- @param options {folder = where the artifact and the checkout are kept meanwhile, benchmark =
--   function(path, task) of bittern.practice.benchmark, sandbox = "bwrap" or nil, rehearsal = false
--   refuses repositories of this machine, datasets = address of the datasets server}
-- @return {status=, notes=, observed_metrics=, replay_log=}, or nil, message, code when the job
--   could not be judged and nothing is to be posted
function M.run(job, options)
  local spec, env = spec_of(job), environment_of(job)
  local patch = text_of(job.submission.patch)
  local refused = surface.refuse(patch, spec)
  if refused then return outcome("rejected", refused.notes, nil, refused.marker) end
  local run = {
    submission = job.submission, patch = patch, spec = spec, env = env,
    required = not patch:find("%S")
      or truths[(env.AUTORESEARCH_REQUIRE_SUBMISSION_ARTIFACT or ""):lower()] == true,
    path = options.folder .. "/artifact", folder = options.folder .. "/repo",
    sandbox = options.sandbox, rehearsal = options.rehearsal ~= false,
    datasets = options.datasets,
  }
  local task = scored_here(job, run)
  local how = task and replay_shipped or replay_checkout
  local result, message, code = how(run, task, options.benchmark)
  fs.remove(run.path)
  return result, message, code
end

return M
