-- Perplexity of a model on a text: as validators measure it (contract.md 6.5), as llama.cpp does,
-- or in windows that overlap. Sums over all targets, then one division.
local sys = require "core.sys"

local check = require "bittern.check"
local compare = require "bittern.eval.compare"
local documents = require "bittern.eval.documents"
local load = require "bittern.eval.load"
local models = require "bittern.model"
local totals = require "bittern.eval.totals"
local vocabulary = require "bittern.eval.vocabulary"

local M = {}

-- The reference's guard: exp of much more than this is infinite.
local LARGEST_MEAN <const> = 700
-- Documents that a thread gets between two reports of progress.
local BATCH <const> = 8
-- Fewer documents say too little of how far they lie apart.
local FEWEST_DOCUMENTS <const> = 8

local function count_targets(list)
  local count = 0
  for _, document in ipairs(list) do count = count + document.targets end
  return count
end

local function is_precise(sums, options)
  local wanted = options.until_se
  return wanted and sums.documents >= FEWEST_DOCUMENTS and sums:standard_error() <= wanted
end

-- What each token but the first costs, of one document beside the reference.
local function run_beside(run, document)
  local nll, message, code = run.comparison:run(run.runnable, document)
  if not nll then return nil, message, code end
  return { nll }
end

-- The same of some documents.
local function run_alone(run, first, last)
  local tokens = {}
  for i = first, last do tokens[#tokens + 1] = run.list[i].tokens end
  return run.runnable:score_many(tokens, run.options.threads, run.list[first].number)
end

-- Negative log-likelihoods of some documents, from the first scored target on.
local function run_batch(run, first, last)
  local found, message, code
  if run.comparison then
    found, message, code = run_beside(run, run.list[first])
  else
    found, message, code = run_alone(run, first, last)
  end
  if not found then return nil, run.read.path .. ": " .. message, code end
  for i = first, last do
    local from = run.list[i].from
    found[i - first + 1] = found[i - first + 1]:view(from, run.list[i].targets)
  end
  return found
end

-- Adds documents until all are done or the sums are precise enough: whether to go on. Looked at
-- document by document, so that the number of threads makes no difference.
local function add_batch(run, first, found)
  for i, nll in ipairs(found) do
    local document, sum = run.list[first + i - 1], nll:sum()
    run.sums:add(sum, document.targets)
    run.documents[#run.documents + 1] = { document = document.number, tokens = document.targets,
      nats = sum / document.targets }
    if is_precise(run.sums, run.options) then return false end
  end
  return true
end

local function score_all(run)
  local step = run.comparison and 1 or run.options.threads * BATCH
  local total = count_targets(run.list)
  local tell = run.options.on_progress or function() end
  for first = 1, #run.list, step do
    local found, message, code = run_batch(run, first, math.min(first + step - 1, #run.list))
    if not found then return nil, message, code end
    local more = add_batch(run, first, found)
    tell(more and run.sums.targets or total, total, run.sums:mean(), run.sums:standard_error())
    if not more then break end
  end
  return true
end

local function result_of(run)
  local sums, options = run.sums, run.options
  local mean, off = sums:mean(), sums:standard_error()
  local ppl = math.exp(math.min(mean, LARGEST_MEAN))
  return {
    heldout_ppl = ppl, heldout_cross_entropy_nats = mean, token_count = sums.targets,
    scored_docs = sums.documents, parameter_count = run.read.parameters,
    standard_error_nats = off, standard_error_ppl = off and ppl * off, mode = options.mode,
    tokenizer = run.tokenizer.name, all_docs = run.available,
    documents = options.per_document and run.documents or nil,
    reference = run.comparison and run.comparison:result(run.tokenizer),
  }
end

-- What scoring a model takes: tokens first, since weights take long.
local function prepare(model, options)
  local run = { options = options, sums = totals.new(), documents = {} }
  local message, code
  run.tokenizer, message, code = vocabulary.choose(model, options.tokenizer)
  if not run.tokenizer then return nil, message, code end
  run.list, run.available, code = documents.of(options.text, run.tokenizer, options)
  if not run.list then return nil, run.available, code end
  run.read, message, code = load.read(model)
  if not run.read then return nil, message, code end
  local ok, why, id = documents.check(run.list, run.tokenizer, run.read)
  if not ok then return nil, model.path .. ": " .. why, id end
  run.runnable, message, code = load.start(run.read, { exact = options.exact })
  if not run.runnable then return nil, message, code end
  if not options.reference then return run end
  run.comparison, message, code = compare.new(options.reference, run.read.vocab, options)
  if not run.comparison then return nil, message, code end
  return run
end

local function score_open(model, options)
  local run, message, code = prepare(model, options)
  if not run then return nil, message, code end
  local ok, why, id = score_all(run)
  if not ok then return nil, why, id end
  return result_of(run)
end

local schema = {
  model = { type = "any" }, text = { type = "string" },
  mode = { type = "string", optional = true, default = "validator" },
  documents = { type = "string", optional = true, default = "tokens" },
  max_tokens = { type = "integer", optional = true, default = 512 },
  stride = { type = "integer", optional = true },
  limit = { type = "integer", optional = true }, seed = { type = "integer", optional = true },
  until_se = { type = "number", optional = true },
  tokenizer = { type = "string", optional = true, default = "auto" },
  threads = { type = "integer", optional = true },
  reference = { type = "any", optional = true },
  exact = { type = "boolean", optional = true },
  per_document = { type = "boolean", optional = true },
  on_progress = { type = "function", optional = true },
}

local function check_word(value, list, name)
  for _, one in ipairs(list) do
    if one == value then return end
  end
  error(("eval.score: %s is one of %s"):format(name, table.concat(list, ", ")), 4)
end

local function check_options(options)
  options = check.options(options, schema, "eval.score")
  check_word(options.documents, documents.cuts(), "documents")
  check_word(options.mode, documents.modes(), "mode")
  if options.max_tokens < 2 then error("eval.score: max_tokens must be at least 2", 3) end
  options.stride = options.stride or options.max_tokens // 2
  if options.stride < 1 or options.stride > options.max_tokens then
    error("eval.score: stride must lie in 1..max_tokens", 3)
  end
  if not options.model then error("eval.score: key 'model' is missing", 3) end
  options.threads = math.max(1, options.threads or sys.cores())
  return options
end

--- Scores a text with a model, packed or not.
-- @param options {model = path or open model, text = string, mode = "validator"|"llama"|"stride",
--   documents = "tokens"|"lines"|"file" of mode validator, max_tokens = 512 of a document, chunk or
--   window, stride = half of it, limit = most documents, seed = which ones (else the first),
--   until_se = nats, stop once the standard error is no more, tokenizer = "auto"|"bytes"|path,
--   reference = path or open model to compare with, threads = cores, exact = f32 throughout even
--   for packed matrices, per_document = false, on_progress = function(done, total, mean, error)
--   with targets, and nats so far}
-- @return {heldout_ppl, heldout_cross_entropy_nats, token_count, scored_docs, parameter_count,
--   standard_error_nats and standard_error_ppl of two documents and more, mode, tokenizer, all_docs
--   = without limit, documents = {{document, tokens, nats}} when asked, reference = what
--   bittern.eval.compare found}, or nil, message, code
-- @usage see lua/cmd/eval.lua; for single tokens, examples/eval.lua
function M.score(options)
  options = check_options(options)
  if type(options.model) ~= "string" then return score_open(options.model, options) end
  local model <close>, message, code = models.open(options.model)
  if not model then return nil, message, code end
  return score_open(model, options)
end

return M
