-- A mode that peers judge, for specs: never one's own, never twice, the median of two.
local common = require "bittern.rules.common"
local rank = require "bittern.rules.rank"

local function check(_, submission, world)
  if submission.miner_hotkey == world.hotkey then return nil, "one's own submission" end
  for _, evaluation in ipairs(world.evaluations) do
    if evaluation.evaluator_hotkey == world.hotkey then return nil, "judged it before" end
  end
  return true
end

local function consensus(evaluations, task)
  local accepted, rejected, values = 0, 0, {}
  for _, evaluation in ipairs(evaluations) do
    if evaluation.status == "rejected" then rejected = rejected + 1 end
    if evaluation.status == "accepted" then
      accepted = accepted + 1
      values[accepted] = evaluation.observed_metrics[task.metric_name]
    end
  end
  if rejected >= task.min_peer_evaluations then return { status = "rejected" } end
  if accepted < task.min_peer_evaluations then return nil end
  table.sort(values)
  local middle = (values[(#values + 1) // 2] + values[#values // 2 + 1]) / 2
  return { status = "accepted", observed_metrics = { [task.metric_name] = middle } }
end

return {
  api = 1, about = "judged by peers", fields = common.fields, rules = common.rules,
  accept = rank.accept, peers = { check = check, consensus = consensus },
}
