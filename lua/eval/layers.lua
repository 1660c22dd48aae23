-- What each compressed matrix alone costs: the dense model with one matrix as the artifact has it,
-- in f32 throughout.
local check = require "bittern.check"
local documents = require "bittern.eval.documents"
local load = require "bittern.eval.load"
local models = require "bittern.model"
local packed = require "bittern.artifact.packed"
local totals = require "bittern.eval.totals"
local vocabulary = require "bittern.eval.vocabulary"

local M = {}

-- Sums of the negative log-likelihoods of each document.
local function costs(work)
  local runnable, message, code = load.start(work.base, { exact = true })
  if not runnable then return nil, message, code end
  local tokens, sums = {}, {}
  for i, document in ipairs(work.list) do tokens[i] = document.tokens end
  local found, why, id = runnable:score_many(tokens, work.options.threads)
  if not found then return nil, work.base.path .. ": " .. why, id end
  for i, document in ipairs(work.list) do
    sums[i] = found[i]:view(document.from, document.targets):sum()
  end
  return sums
end

-- Mean over all targets of what `after` costs more than `before`, and its standard error.
local function difference(work, before, after)
  local sums = totals.new()
  for i, document in ipairs(work.list) do
    sums:add(after[i] - before[i], document.targets)
  end
  return sums:mean(), sums:standard_error()
end

-- The costs with one matrix of the artifact in place of the base's.
local function costs_with(work, name)
  local weights = work.base.weights
  local own = weights[name]
  if not own then
    return nil, ("%s: no tensor '%s', which %s packs; name the model that it was made of"):format(
      work.base.path, name, work.artifact.path), "invalid_model"
  end
  weights[name] = load.matrix(work.artifact, name, work.matrices[name])
  local sums, message, code = costs(work)
  weights[name] = own
  return sums, message, code
end

-- Sums that an earlier run left, or those that `compute` gives, which are kept.
local function kept(work, name, compute)
  local known = work.options.known
  local sums = name and known.tensors[name] or not name and known.base
  if type(sums) == "table" and #sums == #work.list then return sums end
  local message, code
  sums, message, code = compute(work, name)
  if not sums then return nil, message, code end
  if name then known.tensors[name] = sums else known.base = sums end
  work.options.keep(known)
  return sums
end

local function measure(work)
  local before, message, code = kept(work, nil, costs)
  if not before then return nil, message, code end
  local names, found = check.sorted_keys(work.matrices), {}
  for i, name in ipairs(names) do
    local after, why, id = kept(work, name, costs_with)
    if not after then return nil, why, id end
    local lost, off = difference(work, before, after)
    local m = work.matrices[name]
    found[i] = { name = name, codec = m.codec, shape = m.shape, rescued = m.rescued,
      lost_nats = lost, lost_error_nats = off }
    work.tell(i, #names)
  end
  table.sort(found, function(a, b)
    if a.lost_nats ~= b.lost_nats then return a.lost_nats > b.lost_nats end
    return a.name < b.name
  end)
  local nothing = {}
  for i in ipairs(before) do nothing[i] = 0 end
  return { tensors = found, base_nats = difference(work, nothing, before) }
end

local function prepare(work, base)
  local options = work.options
  local description, why, id = packed.describe(work.artifact)
  if not description then return nil, why, id end
  work.matrices = description.matrices
  if next(work.matrices) == nil then
    return nil, work.artifact.path .. ": holds no packed matrix, so nothing can be told apart",
      "invalid_artifact"
  end
  local message, code
  work.tokenizer, message, code = vocabulary.choose(base, options.tokenizer)
  if not work.tokenizer then return nil, message, code end
  work.list, message, code = documents.of(options.text, work.tokenizer, options)
  if not work.list then return nil, message, code end
  work.base, message, code = load.read(base)
  if not work.base then return nil, message, code end
  return documents.check(work.list, work.tokenizer, work.base)
end

--- Measures what each packed matrix of an artifact costs by itself.
-- @param options {model = path of the artifact, base = path of the model that it was made of, text,
--   mode, documents, max_tokens, stride, limit, seed, tokenizer, threads: as bittern.eval.score
--   takes them, all given; on_progress = function(done, total) of matrices, or nil; known = {base =
--   array of sums of documents, tensors = {name = the same}} of an earlier run of the same, and
--   keep = function(known), called for each that is new; or neither}
-- @return {tensors = array of {name, codec, shape, rescued, lost_nats, lost_error_nats}, the
--   costliest first; base_nats, token_count, scored_docs}, or nil, message, code
function M.measure(options)
  local artifact <close>, message, code = models.open(options.model)
  if not artifact then return nil, message, code end
  local base <close>, why, id = models.open(options.base)
  if not base then return nil, why, id end
  options.known = options.known or { tensors = {} }
  options.keep = options.keep or function() end
  local work = { artifact = artifact, options = options,
    tell = options.on_progress or function() end }
  local ok, wrong, kind = prepare(work, base)
  if not ok then return nil, wrong, kind end
  local result, trouble, cause = measure(work)
  if not result then return nil, trouble, cause end
  result.token_count, result.scored_docs = 0, #work.list
  for _, one in ipairs(work.list) do result.token_count = result.token_count + one.targets end
  return result
end

return M
