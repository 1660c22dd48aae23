-- Mode NAME: say here, in a sentence, what wins.
--
-- Client and practice coordinator read this very file: what it refuses is refused before it is sent
-- and when it arrives. `bittern rules SLUG` shows its rules. docs/write-a-mode.md tells more.
local common = require "bittern.rules.common"

-- A rule gets the submission, its task and what is known of the world: `world.hotkey`,
-- `world.submissions` (of the task, or nil when nobody may see them), `world.draft` (not sent yet).
local says_how = {
  id = "says_how", about = "the summary has at least ten characters",
  check = function(submission)
    local summary = common.value(submission, "summary")
    if type(summary) == "string" and #summary >= 10 then return true end
    return nil, "the summary says too little: how was it done?"
  end,
}

-- Who becomes best. `result` and `best` hold what was measured (observed_metrics) and the
-- submission's own fields; `best` is nil while there is none. The second value is for people.
local function accept(result, best, task, args)
  local name = task.metric_name
  local value = result.observed_metrics[name]
  if not value then return false, "the result has no " .. name end
  if not best then return true, "the first result of this task" end
  local gain = value - best.observed_metrics[name]
  if task.metric_direction == "minimize" then gain = -gain end
  return gain > args.step, ("%s is better by %g"):format(name, gain)
end

---@type bittern.Mode
return {
  api = 1,
  about = "say in a line what wins",
  -- { default, "what it is" }; a practice task sets them in its mode_args.
  args = { step = { 0.0, "how much better a new best must be" } },
  -- Fields beside those of every mode: { name=, type=, required=, about= }.
  fields = common.with_fields {},
  rules = common.with_rules { says_how },
  accept = accept,
  -- Ideas that one may build on, as in centerless: candidates = function(submissions, hotkey)
  -- What an idea earns: reward = function(winner, implemented, task)
  -- Miners judge, as in peer_evaluation: peers = { check =, consensus = }
}
