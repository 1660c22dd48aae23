-- The verdict over all rules: PASS or STOP, with reasons.
local wrap = require "bittern.report.wrap"

local M = {}

-- One rule's result. A rule that cannot be judged here says "skip" and why; it stops nothing.
local function judge_one(rule, submission, task, world)
  local ok, reason = rule.check(submission, task, world)
  local skipped = ok == "skip"
  return {
    id = rule.id, source = rule.source, about = rule.about, ok = skipped or ok == true,
    skipped = skipped, reason = reason or ok ~= true and not skipped and "no reason given" or nil,
  }
end

--- Judges a submission.
-- @param rules from rules.merge
-- @param submission table as it will be sent
-- @param task normalized
-- @param world {hotkey=, artifact = {size, sha256, parameter_count}, submissions = prior ones,
--   url_check = {ok, reason}, decided = {field = true}, draft = true for a sidecar before its
--   claim, patch and base_ref}
-- @return {verdict = "PASS"|"STOP", results = array of {id, ok, skipped, reason, source, about}}
function M.judge(rules, submission, task, world)
  local results, verdict = {}, "PASS"
  for _, rule in ipairs(rules) do
    if rule.kind ~= "optional" then
      local result = judge_one(rule, submission, task, world or {})
      if not result.ok then verdict = "STOP" end
      results[#results + 1] = result
    end
  end
  return { verdict = verdict, results = results }
end

--- Judges what needs no submission: the task's state, its mode, contradictions.
-- @param rules array, as rules.of_task gives them
-- @param world {decided = see bittern.rules.contradictions}
-- @return as M.judge
function M.early(rules, task, world)
  local list = {}
  for _, rule in ipairs(rules) do
    if rule.early then list[#list + 1] = rule end
  end
  return M.judge(list, {}, task, world)
end

--- The results that stop a submission.
-- @param judged what M.judge gives
-- @return array of results that are not ok
function M.failures(judged)
  local list = {}
  for _, result in ipairs(judged.results) do
    if not result.ok then list[#list + 1] = result end
  end
  return list
end

local function count(n, word)
  return ("%d %s%s"):format(n, word, n == 1 and "" or "s")
end

local function word_of(result)
  if not result.ok then return "STOP" end
  return result.skipped and "skip" or "PASS"
end

--- The verdict as lines for people: what stops first, with source and reason.
-- @param judged from M.judge
-- @param clean function(text) that makes outside text safe (report.clean)
-- @param options {all = true: list what passes, too}
-- @return array of strings
function M.lines(judged, clean, options)
  local lines, failed, skipped = {}, 0, 0
  local width = 0
  for _, result in ipairs(judged.results) do width = math.max(width, #result.id) end
  for _, result in ipairs(judged.results) do
    local word = word_of(result)
    failed, skipped = failed + (word == "STOP" and 1 or 0), skipped + (word == "skip" and 1 or 0)
    if word ~= "PASS" or options and options.all then
      lines[#lines + 1] = ("%s  %s  %s"):format(word,
        result.id .. (" "):rep(width - #result.id), clean(result.source))
      local reason = result.reason and wrap(clean(result.reason), 80, "      ") or {}
      table.move(reason, 1, #reason, #lines + 1, lines)
    end
  end
  local rest = skipped > 0 and (", %d not judged"):format(skipped) or ""
  lines[#lines + 1] = judged.verdict == "PASS"
    and ("PASS: %s kept%s"):format(count(#judged.results - skipped, "rule"), rest)
    or ("STOP: %s of %s broken%s"):format(count(failed, "rule"), #judged.results, rest)
  return lines
end

return M
