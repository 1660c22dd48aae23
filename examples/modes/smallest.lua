-- A competition mode of one's own: among results of decent quality the smallest artifact wins, and
-- sizes must be multiples of 1000 bytes. Put it into ~/.config/bittern/modes/ and create a practice
-- task with competition_mode "smallest"; `bittern rules` and the gate use it at once.
local common = require "bittern.rules.common"

local WORST <const> = 1.25 -- times the best perplexity so far

local round_size = {
  id = "round_size", about = "a multiple of 1000 bytes",
  check = function(submission)
    local size = submission.artifact_size_bytes
    if math.type(size) ~= "integer" or size % 1000 == 0 then return true end
    return nil, ("%d bytes are %d over a multiple of 1000"):format(size, size % 1000)
  end,
}

return {
  api = 1,
  about = "the smallest artifact that keeps most of the quality",
  fields = common.fields,
  rules = common.with_rules { round_size },
  accept = function(result, best, task)
    if not best then return true, "the first result of this task" end
    local name = task.metric_name
    local limit = best.observed_metrics[name] * WORST
    if result.observed_metrics[name] > limit then return false, name .. " is too far off" end
    return result.artifact_size_bytes < best.artifact_size_bytes, "smaller is better"
  end,
}
