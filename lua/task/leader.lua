-- The submission to beat, as size and perplexity; kept in the cache for when nothing can be
-- fetched.
local fs = require "core.fs"
local sha256 = require "core.sha256"

local budget = require "bittern.compress.budget"
local json = require "bittern.json"
local paths = require "bittern.paths"
local profiles = require "bittern.profiles"
local session = require "bittern.session"

local M = {}

local METRIC <const> = "heldout_ppl"
local LARGEST <const> = 1 << 20

local function path_of(ctx)
  local name = sha256.hex(session.url(ctx) .. "\n" .. ctx.args.slug):sub(1, 32)
  return ("%s/best/%s.json"):format(paths.cache(ctx.env), name)
end

-- What a record says; fields that it does not have stay away.
local function read(task, best)
  local metrics = type(best.observed_metrics) == "table" and best.observed_metrics or {}
  local ppl = metrics[METRIC] or task.metric_name == METRIC and best.metric_value or nil
  local size = best.artifact_size_bytes
  return { slug = task.slug, submission_id = best.submission_id,
    ppl = type(ppl) == "number" and ppl > 0 and ppl < math.huge and ppl or nil,
    bytes = math.type(size) == "integer" and size > 0 and size or nil }
end

local function fetch(ctx)
  local client, task, code = session.task(ctx)
  if not client then return nil, task, code end
  local best, why, id = client:best(task)
  if not best then return nil, why, id end
  return read(task, best)
end

local function keep(ctx, leader)
  leader.seen = math.floor(ctx.now())
  local path = path_of(ctx)
  local ok, message = fs.mkdir(path:match("^(.*)/"))
  if ok then ok, message = fs.write(path, assert(json.encode(leader))) end
  if not ok then ctx.report.detail("the best is not kept: " .. message) end
end

local function kept(ctx)
  local text = fs.read(path_of(ctx), LARGEST)
  local leader = text and json.decode(text)
  if type(leader) == "table" and type(leader.slug) == "string" then return leader end
end

--- The best submission of the task that ctx.args.slug names: fetched, or as it was when it was.
-- @return {slug, submission_id, bytes and ppl where they are known, seen = seconds}, or nil,
--   message, code
function M.of(ctx)
  local leader, message, code = fetch(ctx)
  if leader then
    keep(ctx, leader)
    return leader
  end
  local old = kept(ctx)
  if not old or code == "interrupted" then return nil, message, code end
  ctx.report.say(("the best as it was %s ago: %s"):format(
    ctx.report.age(math.max(0, ctx.now() - (tonumber(old.seen) or 0))), ctx.report.clean(message)))
  return old
end

--- The most bytes that a task allows for a model, as far as its profile is known.
-- @param slug of the task
-- @return bytes, or nil
function M.budget(slug, parameters)
  local profile = profiles.find(slug)
  local rate = profile and profile.budget
  return rate and budget.bytes(parameters, { rate.bits_numerator, rate.bits_denominator }) or nil
end

return M
