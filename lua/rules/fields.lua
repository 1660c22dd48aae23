-- Which fields a submission must have, may have and must not have: what task JSON, onboarding, mode
-- and profile say about each, in this order of precedence, with every voice kept for people to see.
local artifact = require "bittern.rules.artifact"
local common = require "bittern.rules.common"

local M = {}

-- Filled in when a submission is sent; a draft need not have them.
local late = { claim_id = true, base_ref = true, patch = true }

local function type_fits(value, kind)
  if kind == nil or kind == "any" then return true end
  if kind == "object" then return type(value) == "table" end
  if kind == "integer" then return math.type(value) == "integer" end
  return type(value) == kind
end

-- The check of a field that must be there.
local function required(name, voice, kind)
  return function(submission, task, world)
    if world.draft and late[name] then return true end
    if voice.when and not voice.when(submission, task, world) then return true end
    local value = common.value(submission, name)
    if value == nil then return nil, name .. " is missing" end
    if not type_fits(value, kind) then
      return nil, ("%s is a %s, not %s %s"):format(name, type(value),
        kind:find("^[aeiou]") and "an" or "a", kind)
    end
    local is_blank = type(value) == "string" and not value:find("%S")
    if is_blank and (name ~= "patch" or voice.filled) then return nil, name .. " is blank" end
    return true
  end
end

local function forbidden(name)
  return function(submission)
    local value = common.value(submission, name)
    if value == nil or name == "patch" and value == "" then return true end
    return nil, name .. " must stay out"
  end
end

local function nothing() return true end

-- The task JSON speaks of fields in two ways, and says no, too.
local function json_voices(task, voices)
  for _, name in ipairs(task.required_submission_fields or {}) do
    voices[#voices + 1] = { field = name, kind = "required", filled = true,
      source = "task JSON: required_submission_fields" }
  end
  local wanted, source = artifact.json(task)
  for _, name in ipairs(wanted ~= nil and artifact.FIELDS or {}) do
    voices[#voices + 1] = { field = name, kind = wanted and "required" or "free", source = source }
  end
end

local function fits_mode(demand, mode_name)
  return demand.mode == nil or demand.mode == mode_name
end

-- A metric or a field of the task itself is no field of the submission.
local function is_field(name, task)
  return name ~= task.metric_name and name ~= task.secondary_metric_name and task[name] == nil
    or name == "base_ref"
end

local function onboarding_voices(onboarding, task, voices)
  for _, demand in ipairs(onboarding.demands) do
    local wanted = not demand.items and fits_mode(demand, task.competition_mode)
    if wanted and is_field(demand.field, task) then
      voices[#voices + 1] = { field = demand.field, kind = demand.kind, about = demand.text,
        source = "onboarding line " .. demand.line }
    end
  end
  for _, name in ipairs(onboarding.artifact_first and artifact.FIELDS or {}) do
    voices[#voices + 1] = { field = name, kind = "required",
      about = onboarding.artifact_first.text,
      source = "onboarding line " .. onboarding.artifact_first.line }
  end
end

local function mode_voices(mode, mode_name, voices, kinds)
  for _, field in ipairs(mode.fields) do
    kinds[field.name] = field.type
    voices[#voices + 1] = { field = field.name, kind = field.required and "required" or "known",
      when = field.when, about = field.about, source = "mode " .. mode_name }
  end
end

local function profile_voices(profile, voices)
  for _, name in ipairs(profile.required or {}) do
    voices[#voices + 1] = { field = name, kind = "required", source = "profile " .. profile.name }
  end
end

local function first(voices, fits)
  for _, voice in ipairs(voices) do
    if fits(voice) then return voice end
  end
  return nil
end

local function is_sometimes(voice)
  return voice.kind == "required" and voice.when ~= nil
end

local function is_firm(voice)
  return voice.kind ~= "known" and voice.kind ~= "optional" and not is_sometimes(voice)
end

-- What decides: the first voice that always requires, forbids or frees the field. One that requires
-- it only sometimes is heard when nothing firmer is said.
local function decide(voices)
  local firm, sometimes = first(voices, is_firm), first(voices, is_sometimes)
  if firm and (firm.kind ~= "free" or not sometimes) then return firm end
  return sometimes or voices[1]
end

local opposite = { required = { forbidden = true, free = true }, forbidden = { required = true },
  free = { required = true } }

local verbs = { required = "requires it", forbidden = "forbids it", free = "does not require it" }

-- The other voices: those that say the same, and those that contradict.
local function others(decision, voices)
  local also, conflicts, seen = {}, {}, { [decision.source] = true }
  for _, voice in ipairs(voices) do
    if not seen[voice.source] then
      seen[voice.source] = true
      if (opposite[decision.kind] or {})[voice.kind] then
        conflicts[#conflicts + 1] = voice.source .. " " .. verbs[voice.kind]
      elseif voice.kind == decision.kind then
        also[#also + 1] = voice.source
      end
    end
  end
  return also, conflicts
end

local function about_of(decision, voices)
  for _, voice in ipairs({ decision, table.unpack(voices) }) do
    if voice.about and voice.kind == decision.kind then return voice.about end
  end
  for _, voice in ipairs(voices) do
    if voice.about then return voice.about end
  end
  return "must be there"
end

local function rule_of(name, voices, kinds)
  local decision = decide(voices)
  local also, conflicts = others(decision, voices)
  local kind = decision.kind
  if kind == "known" or kind == "free" then kind = "optional" end
  local check = kind == "required" and required(name, decision, kinds[name])
    or kind == "forbidden" and forbidden(name) or nothing
  return {
    id = kind .. "." .. name, kind = kind, field = name, value = kind, source = decision.source,
    about = about_of(decision, voices), also = also, conflicts = conflicts, check = check,
  }
end

--- Rules about the presence of fields.
-- @param parts {task=, onboarding=, mode=, profile=}
-- @return array of rules; `also` and `conflicts` name the other sources
function M.rules(parts)
  local voices, kinds = {}, {}
  json_voices(parts.task, voices)
  if parts.onboarding then onboarding_voices(parts.onboarding, parts.task, voices) end
  if parts.mode then mode_voices(parts.mode, parts.task.competition_mode, voices, kinds) end
  if parts.profile then profile_voices(parts.profile, voices) end
  local names, by_name, list = {}, {}, {}
  for _, voice in ipairs(voices) do
    if not by_name[voice.field] then
      by_name[voice.field] = {}
      names[#names + 1] = voice.field
    end
    table.insert(by_name[voice.field], voice)
  end
  for i, name in ipairs(names) do list[i] = rule_of(name, by_name[name], kinds) end
  return list
end

return M
