-- Mode peer_evaluation: miners replay each other's submissions, and what enough of them measured is
-- the result (contract.md 5.3). What no document says is decided at the top of this file.
local common = require "bittern.rules.common"
local rank = require "bittern.rules.rank"

-- How many equal verdicts end it where the task names no min_peer_evaluations.
local ENOUGH <const> = 2
-- Whether somebody who judged may judge again. An error is no verdict: it never counts.
local ONCE <const> = true

local decisive = { accepted = true, rejected = true }

local function is_finite(value)
  return type(value) == "number" and value == value and math.abs(value) ~= math.huge
end

-- Whether an evaluation may count. Before the replay it is empty: who may judge what is asked.
local function check(evaluation, submission, world)
  if submission.miner_hotkey == world.hotkey then
    return nil, "one's own submission is for others to judge"
  end
  for _, earlier in ipairs(world.evaluations) do
    if ONCE and earlier.evaluator_hotkey == world.hotkey and decisive[earlier.status] then
      return nil, "this hotkey has judged it before: " .. earlier.status
    end
  end
  local name = world.task.metric_name
  if evaluation.status ~= "accepted" or is_finite(evaluation.observed_metrics[name]) then
    return true
  end
  return nil, ("an accepted evaluation needs a finite %s"):format(name)
end

-- The first verdict of each hotkey, by what it says.
local function verdicts(evaluations)
  local by_status, heard = { accepted = {}, rejected = {} }, {}
  for _, evaluation in ipairs(evaluations) do
    local list = by_status[evaluation.status]
    if list and not heard[evaluation.evaluator_hotkey] then
      heard[evaluation.evaluator_hotkey] = true
      list[#list + 1] = evaluation
    end
  end
  return by_status
end

local function median(values)
  table.sort(values)
  local low, high = values[(#values + 1) // 2], values[#values // 2 + 1]
  return low + (high - low) / 2
end

-- The median of each of the task's metrics that every accepted evaluation measured.
local function agreed(accepted, task)
  local metrics = {}
  for _, name in ipairs { task.metric_name, task.secondary_metric_name } do
    local values = {}
    for _, evaluation in ipairs(accepted) do
      values[#values + 1] = evaluation.observed_metrics[name]
    end
    if #values == #accepted then metrics[name] = median(values) end
  end
  return metrics
end

local function consensus(evaluations, task)
  local enough, found = task.min_peer_evaluations or ENOUGH, verdicts(evaluations)
  if #found.rejected >= enough then return { status = "rejected" } end
  if #found.accepted < enough then return nil end
  return { status = "accepted", observed_metrics = agreed(found.accepted, task) }
end

return {
  api = 1,
  about = "miners replay each other's submissions; the median decides",
  fields = common.fields,
  rules = common.rules,
  args = rank.args,
  accept = rank.accept,
  peers = { check = check, consensus = consensus },
}
