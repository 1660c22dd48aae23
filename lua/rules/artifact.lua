-- Rules about the artifact: whether a task scores one, its two size budgets, and that the
-- submission speaks of the very bytes that were packed and published.
local budget = require "bittern.compress.budget"

local common = require "bittern.rules.common"

local M = {}

--- The fields that an artifact needs.
M.FIELDS = { "artifact_uri", "artifact_sha256", "artifact_size_bytes" }

-- A loaded model may have at most so many times the reference's parameters (contract 6.2).
local MOST_PARAMETERS <const> = 16

local truths = { ["1"] = true, ["true"] = true, ["yes"] = true, ["artifact"] = true }

local function is_true(value)
  return value == true or value == 1 or truths[tostring(value):lower()] == true
end

local function has(list, word)
  for _, item in ipairs(list) do
    if item == word then return true end
  end
  return false
end

--- What the task JSON says: its first key that is there decides (contract 1.4.1).
-- @return true or false and the source, or nil when it says nothing
function M.json(task)
  if task.requires_submission_artifact ~= nil then
    return is_true(task.requires_submission_artifact), "task JSON: requires_submission_artifact"
  end
  local surface = task.submission_surface
  if type(surface) == "string" and surface:lower() == "artifact" then
    return true, "task JSON: submission_surface"
  end
  local fields = task.required_submission_fields
  if type(fields) == "table" and #fields > 0 then
    return has(fields, "artifact_uri"), "task JSON: required_submission_fields"
  end
  if type(surface) == "string" and surface:find("%S") then
    return false, "task JSON: submission_surface"
  end
  return nil
end

local function by_onboarding(onboarding)
  for _, demand in ipairs(onboarding.demands) do
    if demand.field == "artifact_uri" and demand.kind == "required" then
      return true, "onboarding line " .. demand.line
    end
  end
  local statement = onboarding.artifact_first
  if statement then return true, "onboarding line " .. statement.line end
  return nil
end

--- Whether a task scores an artifact, and who says so.
-- @return boolean, source
function M.first(task, onboarding, profile)
  local first, source = M.json(task)
  if first == nil and onboarding then first, source = by_onboarding(onboarding) end
  if first == nil and profile and has(profile.required or {}, "artifact_uri") then
    first, source = true, "profile " .. profile.name
  end
  if first == nil then return false, "default" end
  return first, source
end

--- The rule of M.first.
function M.first_rule(parts)
  local first, source = M.first(parts.task, parts.onboarding, parts.profile)
  return {
    id = "artifact_first", source = source, value = first,
    about = first and "the artifact is what validators score" or "a patch is what validators run",
    check = function(submission, _, world)
      if common.has_text(submission, "artifact_uri") then return true end
      if first then return nil, "artifact_uri is missing: this task scores an artifact" end
      if world.draft or common.has_text(submission, "patch") then return true end
      return nil, "there is neither a patch nor an artifact"
    end,
  }
end

-- Size as measured, else as the submission claims it.
local function size_of(submission, world)
  return world.artifact and world.artifact.size or common.value(submission, "artifact_size_bytes")
end

local function parameters_of(submission, world)
  if world.artifact and world.artifact.parameter_count then
    return world.artifact.parameter_count, "counted"
  end
  local metrics = common.value(submission, "claimed_metrics")
  return type(metrics) == "table" and math.tointeger(metrics.parameter_count) or nil, "claimed"
end

local function bytes(n)
  return ("%d byte%s"):format(n, n == 1 and "" or "s")
end

local function within(size, limit, what)
  if math.type(size) ~= "integer" then return "skip", "the artifact's size is not known" end
  if size <= limit then return true end
  return nil, ("%s is over %s by %s: it has %s, %s are allowed"):format("the artifact", what,
    bytes(size - limit), bytes(size), bytes(limit))
end

local function reference_gate(limit, source, about)
  return {
    id = "budget.reference", source = source, value = limit, about = about,
    check = function(submission, _, world)
      return within(size_of(submission, world), limit, "the task's budget")
    end,
  }
end

local function model_gate(rate, source)
  return {
    id = "budget.model", source = source, value = ("%d/%d"):format(rate[1], rate[2]),
    about = ("at most %d/%d bits for each parameter of the artifact's own model")
      :format(rate[1], rate[2]),
    check = function(submission, _, world)
      local count, how = parameters_of(submission, world)
      if not count or count < 1 or count > 1 << 53 then
        return "skip", "the artifact's parameters are not counted"
      end
      local what = ("the budget of its %d parameters (%s)"):format(count, how)
      return within(size_of(submission, world), assert(budget.bytes(count, rate)), what)
    end,
  }
end

local function count_rule(reference, source)
  local most = reference * MOST_PARAMETERS
  return {
    id = "parameter_count", source = source, value = most,
    about = ("at most %d parameters, %d times the reference"):format(most, MOST_PARAMETERS),
    check = function(submission, _, world)
      local count = parameters_of(submission, world)
      if not count then return "skip", "the artifact's parameters are not counted" end
      if count >= 1 and count <= most then return true end
      return nil, ("the artifact has %d parameters, %d are allowed"):format(count, most)
    end,
  }
end

local function own_rate(profile)
  return profile and { profile.budget.bits_numerator, profile.budget.bits_denominator }
end

-- The rate in force and its source; what the profile says beside it agrees or contradicts.
local function rate_of(onboarding, profile)
  local limit = onboarding and onboarding.limits.bits_per_parameter
  local own = own_rate(profile)
  local numerator, denominator
  if limit then numerator, denominator = budget.rate(limit.value) end
  if not numerator then return own, own and "profile " .. profile.name end
  local rate, source = { numerator, denominator }, "onboarding line " .. limit.line
  if not own then return rate, source end
  if numerator * own[2] == own[1] * denominator then
    return rate, source, { "profile " .. profile.name }
  end
  return rate, source, {}, { ("profile %s says %d/%d bits"):format(profile.name, own[1], own[2]) }
end

-- The rule of gate 1, from bytes that the onboarding text names, else from the reference model.
local function reference_rule(onboarding, profile, rate, source)
  local limit = onboarding and onboarding.limits.artifact_bytes
  local reference = profile and profile.reference_parameters
  local in_force = limit and own_rate(profile) or rate
  local most = reference and in_force and assert(budget.bytes(reference, in_force))
  if not limit and not most then return nil end
  if not limit then
    return reference_gate(most, source, ("at most %d bytes: %d/%d bits for each of %d reference "
      .. "parameters"):format(most, rate[1], rate[2], reference))
  end
  local rule = reference_gate(limit.value, "onboarding line " .. limit.line,
    ("at most %d bytes"):format(limit.value))
  if most == limit.value then rule.also = { "profile " .. profile.name } end
  if most and most ~= limit.value then
    rule.conflicts = { ("profile %s says %d bytes"):format(profile.name, most) }
  end
  return rule
end

--- Rules about the size budget, none when nobody says one. Equality passes; all in integers.
-- @param parts {task=, onboarding=, profile=}
-- @return array of rules
function M.budget_rules(parts)
  local list = {}
  local rate, source, also, conflicts = rate_of(parts.onboarding, parts.profile)
  list[1] = reference_rule(parts.onboarding, parts.profile, rate, source)
  if rate then
    local rule = model_gate(rate, source)
    rule.also, rule.conflicts = also, conflicts
    list[#list + 1] = rule
  end
  local reference = parts.profile and parts.profile.reference_parameters
  if reference then list[#list + 1] = count_rule(reference, "profile " .. parts.profile.name) end
  return list
end

local bytes_rule = {
  id = "artifact_bytes", source = "built in",
  about = "size and SHA-256 are those of the artifact's bytes",
  check = function(submission, _, world)
    if not common.has_text(submission, "artifact_uri") then return true end
    if not world.artifact then return "skip", "no artifact was measured" end
    local size = common.value(submission, "artifact_size_bytes")
    if size ~= world.artifact.size then
      return nil, ("artifact_size_bytes is %s, the artifact has %d bytes"):format(tostring(size),
        world.artifact.size)
    end
    local digest = common.value(submission, "artifact_sha256")
    if digest == world.artifact.sha256 then return true end
    return nil, ("artifact_sha256 is %s, the artifact's is %s"):format(tostring(digest),
      world.artifact.sha256)
  end,
}

local url_rule = {
  id = "artifact_url", source = "built in",
  about = "the URL answers 200 itself, with these very bytes",
  check = function(submission, _, world)
    if not common.has_text(submission, "artifact_uri") then return true end
    if not world.url_check then return "skip", "the URL was not fetched" end
    if world.url_check.ok then return true end
    return nil, world.url_check.reason or "the URL does not give the artifact"
  end,
}

--- Rules that hold whatever the task says.
-- @return array of rules
function M.built_in()
  return { bytes_rule, url_rule }
end

return M
