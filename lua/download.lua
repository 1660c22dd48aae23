-- Downloads: parts of one or several files at once, hashed while they arrive, resumed where they
-- stopped, and accepted by their hash.
local sys = require "core.sys"

local check = require "bittern.check"
local http = require "bittern.http"
local job = require "bittern.download.job"
local report = require "bittern.report"
local stream = require "bittern.download.stream"

local M = {}

-- A killed run loses what came after the last note: half of what one part may be.
local PART <const> = 16 << 20
local NOTE <const> = 8 << 20
local LOOK <const> = 0.1 -- s between two looks at what arrived

local schema = {
  parallel = { type = "integer", default = 8 },
  part = { type = "integer", default = PART },
  speed = { type = "integer", default = 0 },
  pause = { type = "number", default = 1 },
  stall = { type = "number", default = 30 },
  on_progress = { type = "function" },
  say = { type = "function", default = report.say },
}
for _, field in pairs(schema) do field.optional = true end

-- A file of unknown size cannot be fetched in parts, nor counted among the others.
local function open_job(run, file)
  local one, message, code = job.new(file, run.options)
  if not one and code == "unknown_size" then
    run.results[#run.results + 1], message, code = stream.run(file, run.options)
    return message == nil, message, code
  end
  if not one then return nil, message, code end
  run.jobs[#run.jobs + 1] = one
  return one:open()
end

-- Starts pieces of the jobs that have some, until enough are under way.
local function start_pieces(run)
  local now = sys.clock()
  for _, one in ipairs(run.jobs) do
    while run.ranges:count() < run.options.parallel and one:is_ready(now) do
      run.last_id = run.last_id + 1
      run.owner[run.last_id] = one
      local ok, message, code = one:start(run.ranges, run.last_id)
      if not ok then return nil, message, code end
    end
  end
  return true
end

-- Keeps all connections busy. Files are opened when their turn comes: a repository may have more of
-- them than a process may open, and the URLs of some expire.
local function fill(run)
  local ok, message, code = start_pieces(run)
  local most = run.options.parallel
  while ok and run.waiting[1] and #run.jobs < most and run.ranges:count() < most do
    ok, message, code = open_job(run, table.remove(run.waiting, 1))
    if ok then ok, message, code = start_pieces(run) end
  end
  return ok, message, code
end

local function open_ranges(run)
  local message, code
  run.ranges, message, code = http.ranges { speed = run.options.speed }
  return run.ranges, message, code
end

-- A job that starts over takes all ranges with it; the others go on where they are.
local function renew_ranges(run)
  for _, one in ipairs(run.jobs) do one:put_back(run.ranges) end
  run.ranges:close()
  return open_ranges(run)
end

local function hear(run, event)
  local one = run.owner[event.id]
  run.owner[event.id] = nil
  local ok, what, code = one:ended(event, sys.clock())
  if not ok then return nil, what, code end
  if what ~= "restart" then return true end
  return renew_ranges(run)
end

-- Waits for bytes, and hears of what has ended.
local function step(run)
  local event, message, code = run.ranges:step(LOOK)
  while event do
    local ok
    ok, message, code = hear(run, event)
    if not ok then return nil, message, code end
    event, message, code = run.ranges:step(0)
  end
  if event == nil then return nil, message, code end
  return true
end

local function finish(run, one)
  local result, message, code = one:finish()
  if result == nil then return nil, message, code end
  if not result then return true end
  run.results[#run.results + 1] = result
  run.finished = run.finished + result.size
  for i, other in ipairs(run.jobs) do
    if other == one then table.remove(run.jobs, i) end
  end
  return true
end

-- Bytes of all files, as far as somebody said how many there are.
local function total_of(run)
  local total = run.finished
  for _, one in ipairs(run.jobs) do total = total + one.remote.size end
  for _, file in ipairs(run.waiting) do total = total + (file.size or 0) end
  return total
end

local function update(run)
  local have = run.finished
  for _, one in ipairs { table.unpack(run.jobs) } do
    local bytes, message, code = one:update(run.ranges, NOTE)
    if not bytes then return nil, message, code end
    have = have + bytes
    if one:is_whole() then
      local ok, why, id = finish(run, one)
      if not ok then return nil, why, id end
    end
  end
  if run.options.on_progress then run.options.on_progress(have, total_of(run)) end
  return true
end

local function loop(run)
  while run.jobs[1] or run.waiting[1] do
    local ok, message, code = fill(run)
    if ok and run.ranges:count() > 0 then
      ok, message, code = step(run)
    elseif ok and run.jobs[1] and not run.jobs[1]:is_whole() then
      ok, message, code = sys.sleep(LOOK) -- all wait before their next try
    end
    if ok then ok, message, code = update(run) end
    if not ok then return nil, message, code end
  end
  return run.results
end

local function close_all(run)
  -- What is there is noted before the ranges go.
  for _, one in ipairs(run.jobs) do
    if one.parts and one.state and run.ranges then one:update(run.ranges, 0) end
  end
  if run.ranges then run.ranges:close() end
  for _, one in ipairs(run.jobs) do one:close() end
end

--- Downloads files.
-- @param files array of {url, path = where to, size, sha256, headers}; size, sha256 (64 digits) and
--   headers (lines for the URL's own host) may be nil
-- @param options {parallel = 8 ranges at once, part = most bytes of a piece (16 MiB), speed = 0
--   (bytes a second in all, 0: no limit), pause = 1 s before the second try of a piece, doubled for
--   each further one, stall = 30 s without a byte, on_progress = function(done, total),
--   say = function(text)}
-- @return array of {path, url, size, sha256, verified, resumed} in the order in which they were
--   finished, or nil, message, code. What arrived stays in `<path>.part`, and the same call goes on
--   from there.
function M.run(files, options)
  local run <close> = setmetatable({
    options = check.options(options or {}, schema, "download.run"), jobs = {}, owner = {},
    results = {}, last_id = 0, finished = 0, waiting = table.move(files, 1, #files, 1, {}),
  }, { __close = close_all })
  local ok, message, code = open_ranges(run)
  if not ok then return nil, message, code end
  return loop(run)
end

return M
