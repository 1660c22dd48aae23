-- Every requirement on a submission to one task, each with where it comes from. Precedence: the
-- task JSON, then the onboarding text, then the mode, then the built-in profile; what a lower
-- source says against a higher one stays visible as a conflict.
local artifact = require "bittern.rules.artifact"
local fields = require "bittern.rules.fields"
local common = require "bittern.rules.common"
local onboard = require "bittern.onboard"
local patch = require "bittern.rules.patch"
local profiles = require "bittern.profiles"
local script = require "bittern.script"
local task_record = require "bittern.task"

local M = {}

local function live_rule()
  return {
    id = "task_live", source = "task JSON: task_state", value = "live",
    about = "the task is live and active",
    check = function(_, task)
      if task_record.is_live(task) then return true end
      return nil, ("the task is %s"):format(task_record.state(task))
    end,
  }
end

-- Where a field of the task comes from.
local function said(task, name)
  return task_record.said(task, name) and "task JSON: " .. name or "default"
end

local function mode_rule(parts)
  local name = parts.task.competition_mode
  return {
    id = "mode", source = said(parts.task, "competition_mode"), value = name,
    about = parts.mode and parts.mode.about or "a mode that is not known here",
    check = function()
      if parts.mode then return true end
      return nil, ("the competition mode '%s' is not known here; a script modes/%s.lua teaches it")
        :format(name, name)
    end,
  }
end

local function summary_rule(parts)
  local limit = parts.onboarding and parts.onboarding.limits.summary_characters
  local most = limit and limit.value or parts.profile and parts.profile.summary_max
  if not most then return nil end
  return {
    id = "summary_length", value = most,
    about = ("a summary has at most %d characters"):format(most),
    source = limit and "onboarding line " .. limit.line or "profile " .. parts.profile.name,
    check = function(submission)
      local summary = common.value(submission, "summary")
      local length = type(summary) == "string" and (utf8.len(summary) or #summary) or 0
      if length <= most then return true end
      return nil, ("the summary has %d characters, %d too many"):format(length, length - most)
    end,
  }
end

local function mode_rules(parts)
  local list = {}
  for i, rule in ipairs(parts.mode and parts.mode.rules or {}) do
    list[i] = { id = rule.id, about = rule.about, value = true, check = rule.check,
      source = "mode " .. parts.task.competition_mode }
  end
  return list
end

local function append(list, more)
  for _, rule in ipairs(more) do
    rule.also, rule.conflicts = rule.also or {}, rule.conflicts or {}
    list[#list + 1] = rule
  end
end

--- All rules of a task.
-- @param parts {task=, onboarding= parsed or nil, mode= script or nil when it is not known,
--   profile= or nil}
-- @return array of {id, about, source, value, also = sources that agree, conflicts = what other
--   sources say against it, kind = "optional" for what only informs,
--   check(submission, task, world) -> true | "skip", why | nil, reason}
-- @usage examples/rules.lua
function M.merge(parts)
  local list = {}
  append(list, { live_rule(), mode_rule(parts), artifact.first_rule(parts) })
  append(list, fields.rules(parts))
  append(list, mode_rules(parts))
  append(list, { summary_rule(parts) })
  append(list, patch.rules(parts))
  append(list, artifact.budget_rules(parts))
  append(list, artifact.built_in())
  return list
end

--- Whether a task scores an artifact, and who says so.
-- @param task normalized
-- @param onboarding parsed, or nil
-- @param profile or nil
-- @return boolean, source
function M.artifact_first(task, onboarding, profile)
  return artifact.first(task, onboarding, profile)
end

--- Everything that is known about a task: parsed onboarding, mode, profile and the merged rules.
-- @param task normalized
-- @param text its onboarding text, or nil
-- @return {task, onboarding, mode, profile, rules}, or nil, message, code for a mode with a fault
function M.of_task(task, text)
  local parts = { task = task, profile = profiles.find(task.slug) }
  parts.onboarding = text and onboard.parse(text) or nil
  local mode, message, code = script.find("mode", task.competition_mode)
  if not mode and code ~= "not_found" then return nil, message, code end
  parts.mode = mode
  parts.rules = M.merge(parts)
  return parts
end

return M
