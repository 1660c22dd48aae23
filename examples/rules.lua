-- The rules of a task from its JSON and onboarding text, and the gate's verdict on a draft:
-- build/bittern run examples/rules.lua
local gate = require "bittern.gate"
local report = require "bittern.report"
local rules = require "bittern.rules"
local task_record = require "bittern.task"

local task = assert(task_record.normalize {
  id = "c54218ce", slug = "qwen3-27b-binary-frontier", task_state = "live", is_active = true,
  competition_mode = "standard", metric_name = "heldout_ppl",
})
local onboarding = [[
- include `artifact_uri`, `artifact_sha256` and `artifact_size_bytes`;
- include `summary` and `claimed_metrics`.
]]

local parts = assert(rules.of_task(task, onboarding))
for _, rule in ipairs(parts.rules) do print(rule.id, rule.source) end

local draft = {
  summary = "rows at one bit", claimed_metrics = { heldout_ppl = 8.25 },
  artifact_uri = "https://files.example.org/a.zip", artifact_sha256 = ("0"):rep(64),
  artifact_size_bytes = 4429687501, -- one byte over
}
local judged = gate.judge(parts.rules, draft, task, { draft = true })
for _, line in ipairs(gate.lines(judged, report.clean)) do print(line) end
