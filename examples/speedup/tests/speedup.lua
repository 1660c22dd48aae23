-- Test of mode speedup, from a file to an accepted submission:
--   bittern run examples/speedup/tests/speedup.lua
local rehearsal = require "bittern.practice.rehearsal"
local report = require "bittern.report"

-- The folder that holds modes/, tasks/ and this file's tests/.
local here = debug.getinfo(1, "S").source:match("^@(.*)/[^/]+$") or "."
local folder = here .. "/.."

local practice <close> = assert(rehearsal.start {
  root = folder, task = folder .. "/tasks/speedup/task.json",
  repository = folder .. "/tasks/speedup/repo",
})

-- A submission with so many layers; the benchmark measures 32/layers, and 10 + lost/16.
local function submission(layers, more)
  local fields = { execution_log = "1 core, 3 runs",
    claimed_metrics = { speedup = 32 / layers, heldout_ppl = 10 + (32 - layers) / 16 } }
  for name, value in pairs(more or {}) do fields[name] = value end
  return { files = { ["settings.sh"] = ("layers=%d\n"):format(layers) }, fields = fields }
end

local function refused(more, words)
  local record, why, code = practice:submit(submission(28, more))
  assert(not record and code == "rejected" and why:find(words, 1, true), why)
end

refused({ execution_log = "" }, "execution_log is missing")
refused({ claimed_metrics = { speedup = 2.0 } }, "claimed_metrics lacks heldout_ppl")

local function try(layers, is_best)
  local record, notes = assert(practice:try(submission(layers)))
  assert(record.status == "accepted", notes)
  assert((practice:best() == record.id) == is_best, layers .. " layers")
  return record
end

try(28, true) -- speedup 1.143, perplexity 10.25: the first
try(27, false) -- 1.185 is no 5 % above it
local best = try(25, true) -- 1.28, perplexity 10.4375
try(16, false) -- 2.0, but perplexity 11 is above mode_args' 10.5
assert(best.observed_metrics.heldout_ppl == 10.4375)

report.say "mode speedup: all as it should be"
