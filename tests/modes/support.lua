-- What the specs of modes share: a task, a good submission, and how a rule judges it.
local script = require "bittern.script"

local M = {}

M.task = { id = "t", slug = "s", metric_name = "heldout_ppl", metric_direction = "minimize" }

--- A submission that breaks no rule of the standard mode.
function M.submission(extra)
  local value = {
    claim_id = "c", base_ref = ("a"):rep(40), summary = "packed", patch = "",
    claimed_metrics = { heldout_ppl = 5.5 }, artifact_uri = "https://files.example.org/a.zip",
    artifact_sha256 = ("0"):rep(64), artifact_size_bytes = 10,
  }
  for key, member in pairs(extra or {}) do
    if member == M.NONE then value[key] = nil else value[key] = member end
  end
  return value
end

M.NONE = {}

--- The reasons a mode has against a submission, by rule id.
function M.reasons(mode, submission, world)
  local reasons = {}
  for _, rule in ipairs(assert(script.find("mode", mode)).rules) do
    local ok, reason = rule.check(submission, M.task, world or {})
    if not ok then reasons[rule.id] = reason end
  end
  return reasons
end

return M
