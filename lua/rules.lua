-- Every requirement on a submission to one task, each with where it comes from. Precedence: the
-- task JSON, then the onboarding text, then the mode, then the built-in profile; what a lower
-- source says against a higher one stays visible as a conflict.
local artifact = require "bittern.rules.artifact"
local common = require "bittern.rules.common"
local fields = require "bittern.rules.fields"
local onboard = require "bittern.onboard"
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

-- A cap that the task JSON, else the onboarding text, else a default sets.
local function patch_limit(parts)
  local task, limit = parts.task, parts.onboarding and parts.onboarding.limits.patch_bytes
  local source = said(task, "max_patch_bytes")
  if source == "default" and limit then return limit.value, "onboarding line " .. limit.line, {} end
  local conflicts = {}
  if limit and limit.value ~= task.max_patch_bytes then
    conflicts[1] = ("onboarding line %d says %d"):format(limit.line, limit.value)
  end
  return task.max_patch_bytes, source, conflicts
end

local function patch_size_rule(parts)
  local most, source, conflicts = patch_limit(parts)
  return {
    id = "patch_size", source = source, value = most, conflicts = conflicts,
    about = ("a patch has at most %d bytes"):format(most),
    check = function(submission)
      local patch = common.value(submission, "patch")
      if type(patch) ~= "string" or #patch <= most then return true end
      return nil, ("the patch has %d bytes, %d too many"):format(#patch, #patch - most)
    end,
  }
end

local function has_file(items, path)
  local name = path:match("[^/]+$")
  for _, item in ipairs(items) do
    if item:find(".", 1, true) and item == name then return true end
  end
  return false
end

-- "Do not submit caches or last_run.json in the patch": what is a file name can be looked for.
local function patch_content_rule(demand)
  return {
    id = "patch_content", source = "onboarding line " .. demand.line, value = demand.items,
    about = "not in the patch: " .. table.concat(demand.items, ", "),
    check = function(submission)
      local patch = common.value(submission, "patch")
      for path in ("\n" .. tostring(patch or "")):gmatch("\n%+%+%+ b/([^\t\r\n]+)") do
        if has_file(demand.items, path) then return nil, "the patch contains " .. path end
      end
      return true
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
  append(list, { patch_size_rule(parts), summary_rule(parts) })
  for _, demand in ipairs(parts.onboarding and parts.onboarding.demands or {}) do
    if demand.items then append(list, { patch_content_rule(demand) }) end
  end
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
