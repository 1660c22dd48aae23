-- What a job does after a piece that failed: waits, asks again where the bytes are, follows, or
-- starts over.
local files = require "bittern.download.files"
local remote = require "bittern.download.remote"
local retry = require "bittern.retry"
local source = require "bittern.download.source"

local M = {}

local MOST_TRIES <const> = 6     -- in a row without a byte
local MOST_RESOLVES <const> = 8  -- of a URL that expires, without a byte
local MOST_HOPS <const> = 5      -- to where a GET is sent on, without a byte
local MOST_RESTARTS <const> = 2  -- because the file changed or its hash was another

local expired <const> = { [401] = true, [403] = true, [404] = true, [410] = true }

local shown = source.shown

--- What a new job knows of failures.
function M.start(job)
  job.tries, job.resolves, job.hops, job.restarts = 0, 0, 0, 0
  job.not_before, job.round = 0, 0
end

--- Bytes have come: whatever failed before is over.
function M.forget(job)
  job.tries, job.resolves, job.hops = 0, 0, 0
end

--- From the first byte again: what is there is of another version, or wrong.
-- @param why words
-- @return true, or nil, message, code
function M.restart(job, why)
  job.restarts = job.restarts + 1
  if job.restarts > MOST_RESTARTS then
    return nil, ("%s: %s, %d times"):format(shown(job.file.url), why, job.restarts), "integrity"
  end
  job.options.say(("%s: %s; starting over"):format(shown(job.file.url), why))
  local found, message, code = source.find(job)
  if not found then return nil, message, code end
  found.ranges = job.remote.ranges and found.ranges
  job.remote = found
  files.close(job)
  job.running = {}
  return files.open(job, false)
end

-- The URL where the bytes are has expired, or never was good.
local function resolve(job, event)
  job.resolves = job.resolves + 1
  local found, message, code = source.find(job)
  if not found then return nil, message, code end
  if found.size ~= job.remote.size or found.etag ~= job.remote.etag then
    return M.restart(job, "it has changed")
  end
  if job.resolves > MOST_RESOLVES then
    return nil, ("%s answers %d"):format(shown(job.remote.url), event.status), "access"
  end
  found.ranges = job.remote.ranges
  job.remote = found
  return true
end

-- A GET is sent on where HEAD was not.
local function follow(job, event)
  job.hops = job.hops + 1
  if job.hops > MOST_HOPS then
    return nil, ("%s: more than %d redirects"):format(shown(job.file.url), MOST_HOPS), "redirect"
  end
  local moved, message, code = remote.moved(job.remote, event.headers.location)
  if not moved then return nil, message, code end
  job.remote = moved
  return true
end

local function wait(job, event, now)
  job.tries = job.tries + 1
  local reason = event.code == "http_status" and ("answers %d"):format(event.status)
    or event.message
  local what = ("%s: %s"):format(shown(job.remote.url), reason)
  if job.tries >= MOST_TRIES then return nil, what, event.code end
  local seconds, why = retry.delay(job.tries, event, job.options.pause)
  job.options.say(("%s; again in %.1f s%s"):format(what, seconds, why))
  job.not_before = now + seconds
  return true
end

-- Whether a failure says something new: what befalls a server fails all pieces that are under way,
-- and counts once.
local function is_news(job, round)
  if round < job.round then return false end
  job.round = job.round + 1
  return true
end

-- What is done about a failure that may pass; nil where it does not.
local function remedy(event)
  local status = event.code == "http_status" and event.status
  if retry.is_passing(event) then return wait end
  if expired[status] then return resolve end
  return status and remote.is_redirect(status) and follow
end

--- Decides after a piece that failed.
-- @param event as core.http gives it
-- @param round of the job in which the piece was started
-- @return true, or nil, message, code
function M.after(job, event, now, round)
  if event.code == "not_partial" or event.code == "http_status" and event.status == 416 then
    if event.code == "not_partial" then job.remote.ranges = false end
    return M.restart(job, event.message)
  end
  if event.code == "changed" then return M.restart(job, "it has changed") end
  local act = remedy(event)
  if act then
    if not is_news(job, round) then return true end
    return act(job, event, now)
  end
  local what = event.code == "http_status" and (" answers %d"):format(event.status)
    or ": " .. event.message
  return nil, shown(job.remote.url) .. what, event.code
end

return M
