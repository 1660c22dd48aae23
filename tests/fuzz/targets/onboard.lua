-- bittern.onboard: any text gives facts, demands and limits that stand in it.
local contradictions = require "bittern.rules.contradictions"
local onboard = require "bittern.onboard"
local rules = require "bittern.rules"
local task = require "bittern.task"

local TASK <const> = assert(task.normalize { id = "1", slug = "x", task_state = "live",
  is_active = true, metric_name = "heldout_ppl", competition_mode = "standard" })

local function lines_of(text)
  local _, count = text:gsub("\r\n?", "\n"):gsub("\n", "")
  return count + 1
end

local function check_lines(list, most)
  for _, item in pairs(list) do
    if type(item) == "table" and item.line then
      assert(math.type(item.line) == "integer" and item.line >= 1 and item.line <= most,
        "a line that is not there")
    end
  end
end

return function(text)
  local found = onboard.parse(text)
  local most = lines_of(text)
  for _, part in ipairs { "facts", "demands", "limits", "sections" } do
    check_lines(found[part], most)
  end
  check_lines({ found.artifact_first }, most)
  local parts = { task = TASK, onboarding = found }
  contradictions.find(parts, rules.merge(parts))
  return (#found.facts > 0 or #found.demands > 0) and "read" or "nothing"
end
