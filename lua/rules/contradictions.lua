-- Where the onboarding text and the task record disagree about the task itself. Which of the two is
-- right nobody can tell from here, so the gate says STOP until the user decides.
local fnmatch = require "bittern.fnmatch"
local task_record = require "bittern.task"

local M = {}

local function blanks_evened(text)
  return (text:gsub("%s+", " "):gsub("^ ", ""):gsub(" $", ""))
end

local function address(text)
  return (text:lower():gsub("/+$", ""):gsub("%.git$", ""):gsub("^%a+://", ""))
end

-- A link's text is often only the name of the repository.
local function same_repository(said, record)
  said, record = address(said), address(record)
  return said == record or not said:find("/", 1, true) and record:match("[^/]+$") == said
    or record:sub(-#said - 1) == "/" .. said
end

local function is_commit(text)
  return text:find("^%x+$") ~= nil and #text >= 7
end

-- A branch and a commit do not contradict each other: the one may stand at the other.
local function same_commit(said, record)
  if is_commit(said) ~= is_commit(record) then return true end
  local length = is_commit(said) and math.min(#said, #record) or nil
  return said:sub(1, length):lower() == record:sub(1, length):lower()
end

local function ends_with(path, tail)
  return path == tail or path:sub(-#tail - 1) == "/" .. tail
end

-- Whether every path of one list stands in the other, by its whole name or its end.
local function covered(paths, by)
  for _, path in ipairs(paths) do
    local found = fnmatch.any(path, by)
    for _, other in ipairs(by) do
      found = found or ends_with(other, path) or ends_with(path, other)
    end
    if not found then return false end
  end
  return true
end

local function same_paths(said, record)
  return covered(said, record) and covered(record, said)
end

local function same_path(said, record)
  return ends_with(record, said) or ends_with(said, record)
end

local function truth(value)
  local text = tostring(value):lower()
  return value == 1 or text == "true" or text == "1" or text == "yes" or text == "artifact"
end

local function same_folded(said, record)
  return said:lower() == tostring(record):lower()
end

-- Field -> whether what a page says is what the record says.
local same = {
  slug = same_folded, repository = same_repository, base_ref = same_commit,
  setup_command = function(a, b) return blanks_evened(a) == blanks_evened(b) end,
  result_path = same_path, allowed_patch_paths = same_paths, competition_mode = same_folded,
  metric_direction = same_folded, secondary_metric_direction = same_folded,
  ranking_mode = same_folded, submission_surface = same_folded, task_state = same_folded,
  requires_submission_artifact = function(a, b) return a == truth(b) end,
  max_patch_bytes = function(a, b) return a == b end,
  time_budget_seconds = function(a, b) return a == b end,
  min_peer_evaluations = function(a, b) return a == b end,
  metric_name = function(a, b) return a == b end,
  secondary_metric_name = function(a, b) return a == b end,
}
same.benchmark_command = same.setup_command

local function is_ours(fact, task)
  return fact.field == "id" and fact.value == task.id
    or fact.field == "slug" and same_folded(fact.value, task.slug)
end

-- Sections that name a task: true when it is ours.
local function owners(facts, task)
  local by_section, count, ours = {}, 0, false
  for _, fact in ipairs(facts) do
    if (fact.field == "id" or fact.field == "slug") and fact.section then
      if by_section[fact.section] == nil then count = count + 1 end
      by_section[fact.section] = by_section[fact.section] or is_ours(fact, task)
      ours = ours or by_section[fact.section]
    end
  end
  return by_section, count, ours
end

--- The facts of a text that speak of a task: a page may hold sections on several.
-- @param facts of bittern.onboard
-- @param task record
function M.of_task(facts, task)
  local by_section, count, ours = owners(facts, task)
  local list = {}
  for _, fact in ipairs(facts) do
    local owner = by_section[fact.section]
    if owner ~= false or not ours and count == 1 then list[#list + 1] = fact end
  end
  return list
end

local function shown(value)
  if type(value) == "table" then return table.concat(value, ", ") end
  return tostring(value)
end

-- Fields for which a record can be asked; both sides must have spoken, in types that compare.
local function compare(fact, task)
  local record = task[fact.field]
  if not same[fact.field] or record == nil or not task_record.said(task, fact.field) then
    return nil
  end
  local is_flag = fact.field == "requires_submission_artifact"
  if not is_flag and type(record) ~= type(fact.value) then return nil end
  if type(record) == "table" and #record == 0 then return nil end
  if same[fact.field](fact.value, record) then return nil end
  return { field = fact.field, line = fact.line, source = "onboarding line " .. fact.line,
    reason = ("line %d of the onboarding says %s, the task record says %s"):format(fact.line,
      shown(fact.value), shown(record)) }
end

-- The cap on patches may stand in a sentence.
local function with_limit(facts, onboarding)
  local limit = onboarding.limits.patch_bytes
  if not limit then return facts end
  local all = table.move(facts, 1, #facts, 1, {})
  all[#all + 1] = { field = "max_patch_bytes", value = limit.value, line = limit.line }
  return all
end

-- A rule that the task record makes and the onboarding text denies, or the other way round.
local function among(rules, seen, list)
  for _, rule in ipairs(rules) do
    for _, conflict in ipairs(rule.source:find("^task JSON") and rule.conflicts or {}) do
      local line = conflict:match("^onboarding line (%d+)")
      local field = rule.field or rule.id
      if line and not seen[field] then
        seen[field] = true
        list[#list + 1] = { field = field, line = math.tointeger(tonumber(line)),
          source = "onboarding line " .. line,
          reason = ("%s, against the task record (%s)"):format(conflict, rule.source) }
      end
    end
  end
end

--- Every contradiction between a task's record and its onboarding text, one for a field.
-- @param parts {task=, onboarding= parsed or nil}
-- @param rules already merged, whose conflicts count, too
-- @return array of {field =, line =, source =, reason =}
function M.find(parts, rules)
  local list, seen = {}, {}
  if not parts.onboarding then return list end
  local facts = M.of_task(parts.onboarding.facts, parts.task)
  for _, fact in ipairs(with_limit(facts, parts.onboarding)) do
    local found = not seen[fact.field] and compare(fact, parts.task)
    if found then
      seen[fact.field] = true
      list[#list + 1] = found
    end
  end
  among(rules, seen, list)
  return list
end

--- Contradictions as rules: each stops until world.decided names its field.
function M.rules(list)
  local rules = {}
  for i, contradiction in ipairs(list) do
    local field = contradiction.field
    rules[i] = {
      id = "contradiction." .. field, source = contradiction.source, value = field,
      about = ("onboarding and task record agree on %s"):format(field), early = true,
      contradiction = ("%s: %s"):format(field, contradiction.reason),
      check = function(_, _, world)
        if world.decided and world.decided[field] then return true end
        return nil, ("%s; ask the operators, or go by the record with --decide %s"):format(
          contradiction.reason, field)
      end,
    }
  end
  return rules
end

return M
