-- Mode speedup: the fastest model wins, as long as it is still as good as it has to be.
local common = require "bittern.rules.common"

local both_metrics = {
  id = "both_metrics", about = "claimed_metrics holds the speed and the quality",
  check = function(submission, task)
    local claimed = common.value(submission, "claimed_metrics")
    for _, name in ipairs { task.metric_name, task.secondary_metric_name } do
      if type(claimed) ~= "table" or type(claimed[name]) ~= "number" then
        return nil, "claimed_metrics lacks " .. name
      end
    end
    return true
  end,
}

local hardware = {
  id = "hardware", about = "says on what machine it was measured",
  check = function(submission)
    if common.has_text(submission, "execution_log") then return true end
    return nil, "execution_log is missing: name the machine and how it was measured"
  end,
}

-- A speed alone is easy: the quality has to stay. Noise is no progress: a new best is faster by
-- more than a share of the old one.
local function accept(result, best, task, args)
  local name, guard = task.metric_name, task.secondary_metric_name
  local speed, quality = result.observed_metrics[name], result.observed_metrics[guard]
  if not speed or not quality then return false, "the replay measured not both metrics" end
  if quality > args.most then
    return false, ("%s is %g, above %g"):format(guard, quality, args.most)
  end
  if not best then return true, "the first result of this task" end
  local least = best.observed_metrics[name] * (1 + args.step)
  if speed > least then return true, ("%s is above %g"):format(name, least) end
  return false, ("%s has to be above %g"):format(name, least)
end

return {
  api = 1,
  about = "the fastest model of sufficient quality",
  args = {
    most = { 12.0, "the secondary metric above this is never best" },
    step = { 0.05, "a new best is faster by more than this share" },
  },
  fields = common.with_fields {
    { name = "execution_log", type = "string", required = true, about = "machine and method" },
  },
  rules = common.with_rules { both_metrics, hardware },
  accept = accept,
}
