-- Who becomes best: one metric, a direction, and for perplexities a band of 0.02 nats in which the
-- smaller artifact wins (contract.md 5.4). What the documents leave open is decided here: the band
-- reaches to both sides of the incumbent, its edge belongs to it, and the size that counts is the
-- artifact's size in bytes.
local M = {}

--- Width of the band on ln(metric).
M.BAND = 0.02

local function is_finite(value)
  return type(value) == "number" and value == value and math.abs(value) ~= math.huge
end

-- The value of the task's metric in a result, or nil and why it cannot be ranked.
local function metric_of(result, task)
  local name = task.metric_name
  local value = name and (result.observed_metrics or {})[name]
  if value == nil then return nil, ("the result has no %s"):format(name or "metric") end
  if not is_finite(value) then return nil, ("%s is not finite"):format(name) end
  return value
end

local function is_perplexity(name)
  return name:find("ppl", 1, true) ~= nil or name:find("perplexity", 1, true) ~= nil
end

-- Perplexities are compared by their logarithm and with the band, other metrics as they are.
local function scale_of(task, other)
  if is_perplexity(task.metric_name) and other > 0 then return math.log, M.BAND end
  return function(x) return x end, 0
end

local function smaller(result, best, name)
  local size, incumbent = result.artifact_size_bytes, best.artifact_size_bytes
  if not size or not incumbent then return false, ("%s is inside the best's band"):format(name) end
  if size < incumbent then
    return true, ("%s is inside the best's band and the artifact is %d bytes smaller"):format(name,
      incumbent - size)
  end
  return false, ("%s is inside the best's band and the artifact is no smaller"):format(name)
end

--- Whether a verified result becomes the best of its task.
-- @param result {observed_metrics = {name = number}, artifact_size_bytes = integer}
-- @param best the same of the present best, or nil when there is none
-- @param task with metric_name and metric_direction
-- @return boolean, reason for people
function M.accept(result, best, task)
  local value, reason = metric_of(result, task)
  if not value then return false, reason end
  local name = task.metric_name
  if is_perplexity(name) and value <= 0 then return false, name .. " is not above 0" end
  local incumbent = best and metric_of(best, task)
  if not incumbent then return true, "the first result of this task" end
  local measure, band = scale_of(task, incumbent)
  local gain = measure(incumbent) - measure(value)
  if task.metric_direction == "maximize" then gain = -gain end
  if gain > band then return true, ("%s is better by more than the band"):format(name) end
  if gain < -band then return false, ("%s is worse than the best"):format(name) end
  return smaller(result, best, name)
end

return M
