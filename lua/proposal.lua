-- What a submission says: only what was measured, and how it was made.
local check = require "bittern.check"
local report = require "bittern.report"

local M = {}

local function settings_text(settings)
  local parts = {}
  for i, name in ipairs(check.sorted_keys(settings)) do
    local value = settings[name]
    if type(value) == "table" then value = table.concat(value, ",") end
    parts[i] = ("%s=%s"):format(name, tostring(value))
  end
  return #parts > 0 and " (" .. table.concat(parts, ", ") .. ")" or ""
end

--- One sentence for people who look at the submission.
-- @param work {recipe= name, settings=, size=, bits= a parameter, packed= score, dense= score,
--   text= name of the held-out text}
function M.summary(work)
  return ("Bittern recipe %s%s: %s parameters in %s bytes (%.4f bits a parameter); "
    .. "perplexity %.4f on %s tokens of %s, dense %.4f."):format(work.recipe,
    settings_text(work.settings), report.thousands(work.packed.parameter_count),
    report.thousands(work.size), work.bits, work.packed.heldout_ppl,
    report.thousands(work.packed.token_count), work.text, work.dense.heldout_ppl)
end

--- The idea of a recipe, when the miner gives no words of their own.
-- @param recipe {name=, about=}
-- @param settings of the recipe
function M.idea(recipe, settings)
  return ("Recipe %s%s: %s."):format(recipe.name, settings_text(settings), recipe.about)
end

local function has_field(mode, name)
  for _, field in ipairs(mode.fields) do
    if field.name == name then return true end
  end
  return false
end

--- The fields that a mode adds: an idea, and the idea it builds on.
-- @param mode script of the task's mode
-- @param options {idea=, implements= id or nil, submissions= of the task, hotkey=}
-- @return {proposed_idea=, implemented_submission_id=}
function M.mode_fields(mode, options)
  local fields = {}
  if has_field(mode, "proposed_idea") then fields.proposed_idea = options.idea end
  if has_field(mode, "implemented_submission_id") then
    local first = mode.candidates and mode.candidates(options.submissions, options.hotkey)[1]
    fields.implemented_submission_id = options.implements or first and first.id or nil
  end
  return fields
end

--- The submission that the results so far amount to, without claim and base_ref.
-- @param submissions earlier ones of the task, or nil when the list is closed
function M.submission(ctx, state, submissions)
  local recipe = { name = state.compress.recipe, about = state.compress.about }
  local fields = M.mode_fields(ctx.demands.mode, {
    idea = ctx.args.idea or M.idea(recipe, ctx.args.set), implements = ctx.args.implements,
    submissions = submissions or {}, hotkey = ctx.hotkey,
  })
  fields.claimed_metrics = state.eval.packed
  fields.summary = ctx.args.summary or M.summary {
    recipe = recipe.name, settings = ctx.args.set, size = state.hash.size, bits = state.hash.bits,
    packed = state.eval.packed, dense = state.eval.dense, text = ctx.args.text:match("[^/]+$"),
  }
  fields.artifact_uri = state.publish.url
  fields.artifact_sha256, fields.artifact_size_bytes = state.hash.sha256, state.hash.size
  return fields
end

--- Our earlier submission of the same bytes that still counts, or nil.
-- @param submissions array of records
-- @param digest sha256 of the artifact
function M.twin(ctx, submissions, digest)
  for _, submission in ipairs(submissions or {}) do
    local counts = submission.status ~= "rejected" and submission.status ~= "error"
    local ours = submission.miner_hotkey == ctx.hotkey
    if counts and ours and submission.artifact_sha256 == digest then
      return submission
    end
  end
  return nil
end

--- A body as the sidecar holds it: without what belongs to the request alone.
function M.sidecar(body)
  local copy = {}
  for name, value in pairs(body) do copy[name] = value end
  copy.claim_id, copy.patch = nil, nil
  return copy
end

return M
