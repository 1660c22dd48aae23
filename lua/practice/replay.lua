-- One validator job, from the submission to the result that is posted: the checks of contract.md
-- 4.3 and 4.4 in their order, stopping at the first that fails.
local fs = require "core.fs"
local json = require "bittern.json"

local download = require "bittern.practice.download"
local surface = require "bittern.patch.surface"
local tasks = require "bittern.practice.tasks"

local M = {}

local SURFACE <const> = "practice replay"

local function outcome(status, notes, metrics, log)
  return {
    status = status, notes = notes, observed_metrics = metrics or json.null,
    replay_log = log or notes,
  }
end

local function benchmark_of(job)
  local slug = type(job.task) == "table" and job.task.slug
  for _, task in ipairs(tasks) do
    if task.record.slug == slug then return task end
  end
  return nil
end

local function text_of(value)
  return type(value) == "string" and value or ""
end

local function prepare(job, path)
  local refused = surface.refuse(text_of(job.submission.patch), job.replay_spec)
  if refused then return outcome("rejected", refused.notes, nil, refused.marker) end
  local fetched, message, code = download.fetch(job.submission, path)
  if code == "interrupted" then return nil, message, code end
  if not fetched then return outcome("error", "Replay preparation failed: " .. message) end
  return true
end

local function score(path, task, run)
  local result, message, code = run(path, task)
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

--- Replays a job.
-- @param job as the scan route answers it
-- @param folder where the artifact is kept meanwhile
-- @param run function(path, task) of bittern.practice.benchmark
-- @return {status=, notes=, observed_metrics=, replay_log=}, or nil, message, code when the job
--   could not be judged
function M.run(job, folder, run)
  local task = benchmark_of(job)
  if not task then
    return outcome("error",
      "Replay preparation failed: this validator has no benchmark for the task")
  end
  local path = folder .. "/artifact"
  local result, message, code = prepare(job, path)
  if result == true then result, message, code = score(path, task, run) end
  fs.remove(path)
  return result, message, code
end

return M
