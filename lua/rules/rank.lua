-- Who becomes best (contract.md 5.4). A scalar task compares one metric, and perplexities with a
-- band of 0.02 nats in which the smaller model wins; a pareto task compares two. What no document
-- says are arguments of the mode: M.args, with what is chosen here and what else it might be.
local M = {}

--- Arguments of a mode that ranks by M.accept; a practice task sets them in its `mode_args`.
M.args = {
  band = { 0.02, "width of the band on ln(perplexity), in nats; other metrics have none" },
  edge = { "inside", "a result exactly at the band's edge is inside it, or outside",
    { "inside", "outside" } },
  sides = { "both", "the smaller model wins anywhere in the band, or (better) where no worse",
    { "both", "better" } },
  anchor = { "current", "the band lies around the current best, or (first) around the result that "
    .. "last won by more than the band: then small steps cannot drift", { "current", "first" } },
  size = { "artifact_size_bytes", "the size that counts: the artifact's, or a metric of the "
    .. "replay, such as compressed_size_bytes" },
}

local function settings(args)
  local all = {}
  for name, spec in pairs(M.args) do
    all[name] = spec[1]
    if args and args[name] ~= nil then all[name] = args[name] end
  end
  return all
end

local function is_finite(value)
  return type(value) == "number" and value == value and math.abs(value) ~= math.huge
end

-- The value of a metric in a result, or nil and why it cannot be ranked.
local function metric_of(result, name)
  local value = name and (result.observed_metrics or {})[name]
  if value == nil then return nil, ("the result has no %s"):format(name or "metric") end
  if not is_finite(value) then return nil, ("%s is not finite"):format(name) end
  return value
end

local function is_perplexity(name)
  return name:find("ppl", 1, true) ~= nil or name:find("perplexity", 1, true) ~= nil
end

-- How much better a value is than another one.
local function gain_of(value, other, direction)
  return direction == "maximize" and value - other or other - value
end

local function size_of(result, name)
  if name == "artifact_size_bytes" then return result.artifact_size_bytes end
  return metric_of(result, name)
end

local function smaller(result, best, name, size_name)
  local size, incumbent = size_of(result, size_name), size_of(best, size_name)
  if not size or not incumbent then return false, ("%s is inside the best's band"):format(name) end
  if size >= incumbent then
    return false, ("%s is inside the best's band and the artifact is no smaller"):format(name)
  end
  return true, ("%s is inside the best's band and the artifact is %.14g bytes smaller"):format(name,
    incumbent - size), "size"
end

-- One metric. `gain` is over the best, `lead` over what the band lies around.
local function by_one(result, best, task, args)
  local name, direction = task.metric_name, task.metric_direction
  local value, incumbent = metric_of(result, name), metric_of(best, name)
  local center = args.anchor == "first" and best.anchor and metric_of(best.anchor, name)
    or incumbent
  local scale, band = function(x) return x end, 0
  if is_perplexity(name) and incumbent > 0 and center > 0 then scale, band = math.log, args.band end
  local lead = gain_of(scale(value), scale(center), direction)
  local gain = gain_of(scale(value), scale(incumbent), direction)
  local edge = band > 0 and args.edge == "outside"
  if lead > band or edge and lead == band then
    return true, ("%s is better by more than the band"):format(name)
  end
  local is_worse = lead < -band or edge and lead == -band or args.sides == "better" and gain < 0
  if is_worse then return false, ("%s is worse than the best"):format(name) end
  return smaller(result, best, name, args.size)
end

-- Two metrics, as they are: the best is dominated or stays.
local function by_two(result, best, task)
  local better = false
  for _, pair in ipairs {
    { task.metric_name, task.metric_direction },
    { task.secondary_metric_name, task.secondary_metric_direction },
  } do
    local gain = gain_of(metric_of(result, pair[1]), metric_of(best, pair[1]), pair[2])
    if gain < 0 then return false, pair[1] .. " is worse than the best's" end
    better = better or gain > 0
  end
  if better then return true, "no metric is worse than the best's, and one is better" end
  return false, "both metrics are the best's"
end

-- The metrics that a task ranks by, or nil and why it cannot rank.
local function names_of(task)
  if task.ranking_mode ~= "pareto" then return { task.metric_name or false } end
  if task.secondary_metric_name and task.secondary_metric_direction then
    return { task.metric_name, task.secondary_metric_name }
  end
  return nil, "a pareto task without a secondary metric and its direction"
end

local function ranked(result, names)
  for _, name in ipairs(names) do
    local value, reason = metric_of(result, name)
    if not value then return nil, reason end
    if is_perplexity(name) and value <= 0 then return nil, name .. " is not above 0" end
  end
  return true
end

--- Whether a verified result becomes the best of its task.
-- @param result {observed_metrics = {name = number}, artifact_size_bytes = integer}
-- @param best the same of the present best, or nil when there is none; its `anchor` is the result
--   that last won by more than the band, where that is known
-- @param task with metric_name and metric_direction, and the secondary ones of a pareto task
-- @param args as M.args, or nil for its defaults
-- @return boolean, reason for people, "size" when a smaller size won inside the band
function M.accept(result, best, task, args)
  args = settings(args)
  local names, problem = names_of(task)
  if not names then return false, problem end
  local ok, reason = ranked(result, names)
  if not ok then return false, reason end
  if not best or not ranked(best, names) then return true, "the first result of this task" end
  local compare = task.ranking_mode == "pareto" and by_two or by_one
  return compare(result, best, task, args)
end

return M
