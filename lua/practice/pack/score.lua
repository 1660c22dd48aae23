-- What the scripts of this pack ask Bittern: `bittern run score.lua SLUG [ARTIFACT]` prints the
-- limits of a practice task, and of an artifact the metrics or the rejection, as JSON.
local canonical = require "bittern.canonical"

local benchmark = require "bittern.practice.benchmark"
local report = require "bittern.report"
local tasks = require "bittern.practice.tasks"

local slug <const>, artifact <const> = ...

local function find()
  for _, task in ipairs(tasks) do
    if task.record.slug == slug then return task end
  end
  return nil, ("%s: no task of that name ships"):format(slug), "not_found"
end

local task, message, code = find()
if not task then return nil, message, code end
local found = {}
if artifact then
  found, message, code = benchmark.run(artifact, task)
  if not found then return nil, message, code end
end
found.limits = benchmark.limits(task)
report.out(assert(canonical.encode(found)))
return true
