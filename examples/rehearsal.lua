-- A submission by hand, on a practice coordinator:
--   build/bittern --root examples/speedup run examples/rehearsal.lua
-- What `bittern mine` does, less the compression and the record that lets it resume.
local coordinator = require "bittern.coordinator"
local gate = require "bittern.gate"
local paths = require "bittern.paths"
local preview = require "bittern.preview"
local rehearsal = require "bittern.practice.rehearsal"
local rules = require "bittern.rules"
local sidecar = require "bittern.sidecar"

local folder <const> = paths.root() .. "/examples/speedup"
local practice <close> = assert(rehearsal.start { root = folder,
  task = folder .. "/tasks/speedup/task.json", repository = folder .. "/tasks/speedup/repo" })
local anybody = assert(coordinator.new { url = practice.url })
print(("%d task to see without a hotkey"):format(#assert(anybody:tasks())))

-- The task, and what its page, its record and its mode demand.
local task, client = practice.task, practice.client
local demands = assert(rules.of_task(task, assert(client:onboard(task))))
print(("%s: %d rules, %s"):format(task.slug, #demands.rules, task.metric_name))

-- A draft is judged before anything is sent.
local draft = assert(sidecar.normalize { summary = "fewer layers ", execution_log = "1 core",
  claimed_metrics = { speedup = 1.14, heldout_ppl = 10.25 } })
local judged = gate.judge(demands.rules, draft, task, { hotkey = client.address, draft = true })
for _, result in ipairs(gate.failures(judged)) do print("not yet:", result.reason) end

-- What a claim would send, its signature hidden.
local request = assert(preview.claim(client, task, { claim_description = "fewer layers" }))
for _, line in ipairs(preview.lines(request)) do print("  " .. line) end

-- Sent, replayed by the validator, and best.
local record = assert(practice:try { files = { ["settings.sh"] = "layers=28\n" }, fields = draft })
print(record.status, practice:best() == record.id and "the best so far" or "")
