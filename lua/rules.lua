-- Every requirement on a submission to one task, each with where it comes from. Precedence: the
-- task JSON, then the onboarding text, then the mode, then the built-in profile; what a lower
-- source says against a higher one stays visible as a conflict.
local artifact = require "bittern.rules.artifact"
local fields = require "bittern.rules.fields"
local common = require "bittern.rules.common"
local contradictions = require "bittern.rules.contradictions"
local onboard = require "bittern.onboard"
local patch = require "bittern.rules.patch"
local profiles = require "bittern.profiles"
local script = require "bittern.script"
local task_record = require "bittern.task"

local M = {}

local function live_rule()
  return {
    id = "task_live", source = "task JSON: task_state", value = "live", early = true,
    about = "the task is live and active",
    check = function(_, task)
      if task_record.is_live(task) then return true end
      return nil, ("the task is %s"):format(task_record.state(task))
    end,
  }
end

-- Fields that the onboarding text fills in when the task JSON is silent. Commands are none of them:
-- nothing is run because a text says so.
local fillable = { competition_mode = true, metric_name = true, metric_direction = true,
  max_patch_bytes = true, result_path = true, time_budget_seconds = true }

-- The task with what only its onboarding text says, and the line of each such field.
local function filled(task, onboarding)
  if not onboarding then return task, {} end
  local copy, lines = {}, {}
  for key, value in pairs(task) do copy[key] = value end
  for _, fact in ipairs(contradictions.of_task(onboarding.facts, task)) do
    local field = fact.field
    if fillable[field] and not lines[field] and not task_record.said(task, field) then
      copy[field], lines[field] = fact.value, fact.line
    end
  end
  return copy, lines
end

-- Where a field of the task comes from.
local function said(parts, name)
  if task_record.said(parts.task, name) then return "task JSON: " .. name end
  local line = parts.filled and parts.filled[name]
  return line and "onboarding line " .. line or "default"
end

local function mode_rule(parts)
  local name = parts.task.competition_mode
  return {
    id = "mode", source = said(parts, "competition_mode"), value = name, early = true,
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
--   sources say against it, kind = "optional" for what only informs, early = true for what can be
--   judged before there is a submission,
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
  append(list, contradictions.rules(contradictions.find(parts, list)))
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
-- @return {task = with what the onboarding fills in, filled = {field = line}, onboarding, mode,
--   profile, rules}, or nil, message, code for a mode with a fault
function M.of_task(task, text)
  local parts = { profile = profiles.find(task.slug) }
  parts.onboarding = text and onboard.parse(text) or nil
  parts.task, parts.filled = filled(task, parts.onboarding)
  local mode, message, code = script.find("mode", parts.task.competition_mode)
  if not mode and code ~= "not_found" then return nil, message, code end
  parts.mode = mode
  parts.rules = M.merge(parts)
  return parts
end

return M
