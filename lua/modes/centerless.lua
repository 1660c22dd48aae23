-- Mode centerless: standard, plus an idea of one's own and credit to the idea it builds on.
local common = require "bittern.rules.common"
local rank = require "bittern.rules.rank"

-- Ideas of other miners that one may build on: accepted ones first, then the server's order.
local function candidates(submissions, hotkey)
  local accepted, rest = {}, {}
  for _, submission in ipairs(submissions) do
    if submission.miner_hotkey ~= hotkey and common.has_text(submission, "proposed_idea") then
      local list = submission.status == "accepted" and accepted or rest
      list[#list + 1] = submission
    end
  end
  return table.move(rest, 1, #rest, #accepted + 1, accepted)
end

local proposed_idea = {
  id = "proposed_idea", about = "an idea in words that others can build on",
  check = function(submission)
    if common.has_text(submission, "proposed_idea") then return true end
    return nil, "proposed_idea is blank"
  end,
}

local function find(list, id)
  for _, submission in ipairs(list) do
    if tostring(submission.id) == id then return submission end
  end
  return nil
end

-- What is wrong with the submission that is named, or nil.
local function objection(id, world)
  local named = find(world.submissions, id)
  if not named then return "names no submission of this task: " .. id end
  if named.miner_hotkey == world.hotkey then return "names your own submission" end
  if common.has_text(named, "proposed_idea") then return nil end
  return "names a submission without an idea"
end

local implemented_submission_id = {
  id = "implemented_submission_id",
  about = "another miner's idea-bearing submission, once there is one; never one's own",
  check = function(submission, _, world)
    if not world.submissions then
      return nil, "the list of earlier submissions is not available, so ideas cannot be checked"
    end
    local id = common.value(submission, "implemented_submission_id")
    if id ~= nil and tostring(id):find("%S") then
      local reason = objection(tostring(id), world)
      if reason then return nil, "implemented_submission_id " .. reason end
      return true
    end
    local first = candidates(world.submissions, world.hotkey)[1]
    if not first then return true end
    return nil, "implemented_submission_id is missing; another miner's idea exists, such as "
      .. tostring(first.id)
  end,
}

return {
  api = 1,
  about = "standard, plus an idea that others may build on",
  fields = common.with_fields {
    { name = "proposed_idea", type = "string", required = true, about = "the idea, in words" },
    { name = "implemented_submission_id", type = "string",
      about = "the idea-bearing submission that this one builds on" },
  },
  rules = common.with_rules { proposed_idea, implemented_submission_id },
  candidates = candidates,
  args = rank.args,
  accept = rank.accept,
  -- A best-improving submission that builds on another miner's idea (contract.md 5.5).
  reward = function() return { proposer = 0.5, implementer = 0.5 } end,
}
