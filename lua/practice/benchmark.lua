-- What a practice task's benchmark does with an artifact: both size gates, then the score
-- (contract.md 6.2, 6.3, 6.6). Sizes are whole numbers throughout.
local fs = require "core.fs"

local model = require "bittern.model"
local packed = require "bittern.artifact.packed"
local paths = require "bittern.paths"
local scorer = require "bittern.eval.score"

local M = {}

local MAX_PARAMETER_RATIO <const> = 16

-- ceil(count * numerator / denominator)
local function budget_bits(count, budget)
  return (count * budget[1] + budget[2] - 1) // budget[2]
end

local function rejection(...)
  return { rejection = "validator_rejection=" .. string.format(...) }
end

--- What a task allows, by the names of last_run.json.
-- @param task an entry of bittern.practice.tasks
function M.limits(task)
  local count = task.reference_parameters
  return {
    native_bits_per_parameter = task.native == "binary" and 1.0 or 2.0,
    max_non_native_fraction = 0.1, effective_rescue_bits_per_parameter = 4.125,
    max_artifact_bits_per_parameter = task.budget[1] / task.budget[2],
    max_reference_artifact_bits = budget_bits(count, task.budget),
    max_parameter_count = count * MAX_PARAMETER_RATIO, baseline_parameter_count = count,
  }
end

-- Gate 1, before anything is loaded.
local function gate_size(bits, task)
  local most = M.limits(task).max_reference_artifact_bits
  if bits <= most then return nil end
  return rejection("artifact_size artifact_bits=%d max_artifact_bits=%d", bits, most)
end

-- Gate 2, on what was loaded.
local function gate_parameters(bits, count, task)
  local most = M.limits(task).max_parameter_count
  if count > most then
    return rejection("parameter_count parameter_count=%d max_parameter_count=%d", count, most)
  end
  local allowed = budget_bits(count, task.budget)
  if bits <= allowed then return nil end
  return rejection("quantized_size artifact_bits=%d parameter_count=%d max_model_artifact_bits=%d",
    bits, count, allowed)
end

local function metrics(score, size, task)
  local bits, count = size * 8, score.parameter_count
  local all = {
    heldout_ppl = score.heldout_ppl, heldout_cross_entropy_nats = score.heldout_cross_entropy_nats,
    parameter_count = count, compressed_bits = bits, compressed_size_bytes = size,
    artifact_bits_per_parameter = bits / count,
    max_artifact_bits_per_parameter = task.budget[1] / task.budget[2],
    submission_artifact_bytes = size, scored_docs = score.scored_docs,
    token_count = score.token_count,
  }
  for name, value in pairs(all) do all[name] = value + 0.0 end
  return all
end

-- A model that broke must not win: only a finite, positive perplexity counts.
local function judge(score, size, task)
  local ppl = score.heldout_ppl
  if ppl ~= ppl or ppl == math.huge or ppl <= 0 then
    return rejection("heldout_ppl heldout_ppl=%s", tostring(ppl))
  end
  return { metrics = metrics(score, size, task) }
end

local function score_with(opened, task)
  local text, message, code = fs.read(paths.root() .. "/" .. task.heldout)
  if not text then return nil, message, code end
  return scorer.score {
    model = opened, text = text, tokenizer = "bytes", documents = task.documents,
    max_tokens = task.max_tokens,
  }
end

--- Benchmarks an artifact.
-- @param path the archive
-- @param task an entry of bittern.practice.tasks
-- @return {metrics = table} or {rejection = text}; or nil, message, code when it failed
function M.run(path, task)
  local info, message, code = fs.stat(path)
  if not info then return nil, message, code end
  local refused = gate_size(info.size * 8, task)
  if refused then return refused end
  local opened <close>, why, id = model.open(path)
  if not opened then return nil, why, id end
  local count, trouble, kind = packed.parameters(opened)
  if not count then return nil, trouble, kind end
  refused = gate_parameters(info.size * 8, count, task)
  if refused then return refused end
  local score, wrong, name = score_with(opened, task)
  if not score then return nil, wrong, name end
  return judge(score, info.size, task)
end

return M
