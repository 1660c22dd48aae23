-- Mode standard: a patch or an artifact, replayed by validators, one metric.
local common = require "bittern.rules.common"
local rank = require "bittern.rules.rank"

local centerless_fields = { "proposed_idea", "implemented_submission_id" }

local no_centerless_fields = {
  id = "no_centerless_fields", about = "proposed_idea and implemented_submission_id stay out",
  check = function(submission)
    for _, name in ipairs(centerless_fields) do
      if common.value(submission, name) ~= nil then
        return nil, name .. " belongs to centerless tasks; leave it out"
      end
    end
    return true
  end,
}

return {
  api = 1,
  about = "claim, submit, validators replay; one metric decides",
  fields = common.fields,
  rules = common.with_rules { no_centerless_fields },
  args = rank.args,
  accept = rank.accept,
}
