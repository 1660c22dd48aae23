-- The practice validator: scans for jobs, replays each, posts the result, for ever.
local fs = require "core.fs"
local sys = require "core.sys"

local json = require "bittern.json"

local replay = require "bittern.practice.replay"

local M = {}

local INTERVAL <const> = 0.3 -- seconds between two looks for work

local function metrics_of(result)
  return result.observed_metrics == json.null and {} or result.observed_metrics
end

-- A job that cannot be judged gets no result, as from a validator; it is not looked at again.
local function judge(options, job)
  if options.given_up[job.job_id] then return true end
  local result, message, code = replay.run(job, options)
  if code == "interrupted" then return nil, message, code end
  if not result then
    options.given_up[job.job_id] = true
    options.warn(("job %s: no result: %s"):format(job.job_id, message))
    return true
  end
  options.judged(job, result)
  return options.client:job_result(job.job_id, {
    submission_id = job.submission_id, status = result.status, notes = result.notes,
    observed_metrics = metrics_of(result), replay_log = result.replay_log,
  })
end

-- One look for work. A result that did not arrive is made again: the job is in the next scan, too.
local function cycle(options)
  local jobs, message, code = options.client:scan_jobs()
  if not jobs then return nil, message, code end
  for _, job in ipairs(jobs) do
    local done, why, id = judge(options, job)
    if not done then return nil, why, id end
  end
  return true
end

--- Works for a coordinator.
-- @param options {client=, folder= for downloads, benchmark=function(path, task),
--   sandbox="bwrap" or nil, interval=0.3 s, once=boolean,
--   judged=function(job, result), warn=function(text)}
-- @return true after one cycle with `once`; else nil, message, code ("interrupted" in the end)
function M.run(options)
  local made, message, code = fs.mkdir(options.folder, 0x1C0)
  if not made then return nil, message, code end
  options.given_up = {}
  while true do
    local done, why, id = cycle(options)
    if options.once or id == "interrupted" then return done, why, id end
    if not done then options.warn("validator: " .. why) end
    local slept, trouble, kind = sys.sleep(options.interval or INTERVAL)
    if not slept then return nil, trouble, kind end
  end
end

return M
