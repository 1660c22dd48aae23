-- The parts of a file go up, several at a time; one that fails is sent again by itself.
local sys = require "core.sys"

local check = require "bittern.check"
local http = require "bittern.http"
local report = require "bittern.report"
local retry = require "bittern.retry"

local M = {}

local MOST_TRIES <const> = 6
local MOST_PARALLEL <const> = 64
local LOOK <const> = 0.1 -- s between two looks at what was sent

local schema = {
  path = { type = "string" },
  size = { type = "integer" },
  part = { type = "integer" },
  parallel = { type = "integer" },
  request = { type = "function" },
  sent = { type = "function" },
  refused = { type = "function" },
  has = { type = "function", optional = true },
  on_progress = { type = "function", optional = true },
  pause = { type = "number", optional = true, default = 1 },
  say = { type = "function", optional = true, default = report.say },
}

--- A publisher's arguments `part` and `parallel`, as whole numbers.
-- @return part (1 where there is none), parallel; or nil, message, "usage"
function M.limits(args)
  local part, parallel = math.tointeger(args.part or 1), math.tointeger(args.parallel)
  if part and part >= 1 and parallel and parallel >= 1 and parallel <= MOST_PARALLEL then
    return part, parallel
  end
  return nil, ("part and parallel must be whole numbers from 1 on, parallel at most %d"):format(
    MOST_PARALLEL), "usage"
end

-- Parts that are not there, in order; and the bytes of those that are.
local function missing_of(options)
  local list, bytes, number = {}, 0, 0
  for first = 0, options.size - 1, options.part do
    number = number + 1
    local part = { number = number, first = first, tries = 0,
      size = math.min(options.part, options.size - first) }
    if options.has and options.has(part) then
      bytes = bytes + part.size
    else
      list[#list + 1] = part
    end
  end
  return list, bytes
end

local function start(run, part)
  local request, message, code = run.options.request(part)
  if not request then return nil, message, code end
  run.running[part.number] = part
  return run.ranges:send { id = part.number, url = request.url, headers = request.headers,
    path = run.options.path, first = part.first, last = part.first + part.size - 1 }
end

local function fill(run)
  while run.waiting[1] and run.ranges:count() < run.options.parallel
    and sys.clock() >= run.not_before do
    local ok, message, code = start(run, table.remove(run.waiting, 1))
    if not ok then return nil, message, code end
  end
  return true
end

local function wait(run, part, event)
  part.tries = part.tries + 1
  local what = ("part %d: %s"):format(part.number, event.code == "http_status"
    and ("status %d"):format(event.status) or event.message)
  if part.tries >= MOST_TRIES then return nil, what, event.code end
  local seconds, why = retry.delay(part.tries, event, run.options.pause)
  run.options.say(("%s; again in %.1f s%s"):format(what, seconds, why))
  run.not_before = math.max(run.not_before, sys.clock() + seconds)
  return true
end

local function hear(run, event)
  local part = run.running[event.id]
  run.running[event.id] = nil
  if not event.code then
    run.bytes = run.bytes + part.size
    return run.options.sent(part, event)
  end
  local ok, message, code
  if retry.is_passing(event) then
    ok, message, code = wait(run, part, event)
  elseif event.code == "http_status" then
    ok, message, code = run.options.refused(part, event)
  else
    message, code = event.message, event.code
  end
  if not ok then return nil, message, code end
  table.insert(run.waiting, 1, part)
  return true
end

local function tell(run)
  if not run.options.on_progress then return end
  local bytes = run.bytes
  for id in pairs(run.running) do bytes = bytes + run.ranges:received(id) end
  run.options.on_progress(bytes, run.options.size)
end

local function step(run)
  if run.ranges:count() == 0 then return sys.sleep(LOOK) end -- all wait before their next try
  local event, message, code = run.ranges:step(LOOK)
  if event == nil then return nil, message, code end
  tell(run)
  if not event then return true end
  return hear(run, event)
end

local function loop(run)
  while run.waiting[1] or next(run.running) do
    local ok, message, code = fill(run)
    if ok then ok, message, code = step(run) end
    if not ok then return nil, message, code end
  end
  return true
end

--- Sends the parts of a file.
-- @param options {path, size, part = bytes of each but the last, parallel,
--   request = function(part) -> {url, headers} | nil, message, code: made anew for every try,
--   sent = function(part, event) -> true | nil, message, code: the server has it,
--   refused = function(part, event) -> true to try again | nil, message, code,
--   has = function(part) -> whether it need not be sent, on_progress = function(done, total),
--   pause = 1 s before the second try, doubled for each further one, say = function(text)};
--   a part is {number = from 1 on, first, size, tries}, an event what core.http's ranges give
-- @return true, or nil, message, code
function M.send(options)
  options = check.options(options, schema, "parts.send")
  local ranges <close>, message, code = http.ranges()
  if not ranges then return nil, message, code end
  local waiting, bytes = missing_of(options)
  return loop { options = options, ranges = ranges, waiting = waiting, bytes = bytes, running = {},
    not_before = 0 }
end

return M
