-- A submission of another miner, scored by `bittern eval` on a text of one's own: for tasks whose
-- benchmark cannot run here. None of its code runs; its artifact is fetched, and held to the
-- task's budgets, as validators do.
local fs = require "core.fs"
local sha256 = require "core.sha256"

local download = require "bittern.practice.download"
local model = require "bittern.model"
local packed = require "bittern.artifact.packed"
local surface = require "bittern.patch.surface"

local M = {}

local TEXT_MAX <const> = 1 << 30

-- What scoring gives that a task may want.
local metrics <const> = { heldout_ppl = true, heldout_cross_entropy_nats = true }

--- Reads the text that is scored on.
-- @param task record, whose metric must be one that scoring gives
-- @param path of the text
-- @return text, or nil, message, code
function M.text(task, path)
  if metrics[task.metric_name] then return fs.read(path, TEXT_MAX) end
  return nil, ("task %s wants %s; --text measures heldout_ppl and heldout_cross_entropy_nats")
    :format(task.slug, tostring(task.metric_name)), "usage"
end

local function outcome(status, notes, observed)
  return { status = status, notes = notes, observed_metrics = observed or {} }
end

-- The first budget that an artifact breaks: why, or nil.
local function over_budget(submission, task, rules, artifact)
  for _, rule in ipairs(rules) do
    if rule.id:find("^budget%.") then
      local ok, reason = rule.check(submission, task, { artifact = artifact })
      if not ok then return reason end
    end
  end
  return nil
end

local function score(opened, text)
  local result, message, code = require("bittern.eval.score").score { model = opened, text = text }
  if not result then return nil, message, code end
  local observed = {}
  for _, name in ipairs { "heldout_ppl", "heldout_cross_entropy_nats", "parameter_count",
    "token_count", "scored_docs" } do
    observed[name] = result[name] + 0.0
  end
  return observed
end

local function judge(path, submission, options)
  local info, why, id = fs.stat(path)
  if not info then return nil, why, id end
  local opened <close>, message, code = model.open(path)
  if code == "interrupted" then return nil, message, code end
  if not opened then return outcome("error", message) end
  local count, wrong = packed.parameters(opened)
  if not count then return outcome("error", wrong) end
  local reason = over_budget(submission, options.task, options.rules,
    { size = info.size, sha256 = submission.artifact_sha256, parameter_count = count })
  if reason then return outcome("rejected", reason) end
  local observed, trouble, kind = score(opened, options.text)
  if kind == "interrupted" then return nil, trouble, kind end
  if not observed then return outcome("error", trouble) end
  local is_patch = type(submission.patch) == "string" and submission.patch:find("%S")
  return outcome("accepted", ("scored by bittern eval on a text of %d tokens, sha256 %s%s"):format(
    observed.token_count // 1 | 0, sha256.hex(options.text),
    is_patch and "; its patch was not run" or ""), observed)
end

--- Scores a submission.
-- @param submission record
-- @param options {task=, text=, rules= of the task, path= where the artifact is kept meanwhile}
-- @return {status=, notes=, observed_metrics=}, or nil, message, code
function M.measure(submission, options)
  local patch = type(submission.patch) == "string" and submission.patch or ""
  local refused = surface.refuse(patch, options.task)
  if refused then return outcome("rejected", refused.notes) end
  local fetched, message, code = download.fetch(submission, options.path)
  if code == "interrupted" then return nil, message, code end
  if not fetched then return outcome("error", message) end
  local result, why, id = judge(options.path, submission, options)
  fs.remove(options.path)
  return result, why, id
end

return M
