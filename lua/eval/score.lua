-- Perplexity of a model on a text, as validators measure it (contract.md 6.5): byte tokens, sums
-- over all targets, then one division.
local buffer = require "core.buffer"
local sys = require "core.sys"

local check = require "bittern.check"
local load = require "bittern.eval.load"
local model_module = require "bittern.model"

local M = {}

-- A token is a byte plus one; 0 is padding.
local FIRST_BYTE_TOKEN <const> = 1
-- The reference's guard: exp of much more than this is infinite.
local LARGEST_MEAN <const> = 700
-- Documents that a thread gets between two reports of progress.
local BATCH <const> = 8

local cut = {}

-- Documents of max_tokens bytes, one after the other.
function cut.bytes(text, max_tokens)
  local list = {}
  for at = 1, #text, max_tokens do list[#list + 1] = text:sub(at, at + max_tokens - 1) end
  return list
end

-- Every line is a document, truncated.
function cut.lines(text, max_tokens)
  local list = {}
  for line in text:gmatch("[^\n]+") do list[#list + 1] = line:sub(1, max_tokens) end
  return list
end

-- The whole text is one document, truncated.
function cut.file(text, max_tokens)
  return { text:sub(1, max_tokens) }
end

--- Cuts a text into documents of byte tokens; those of fewer than two are left out.
-- @param text string
-- @param documents "bytes"|"lines"|"file"
-- @param max_tokens integer, the most tokens of a document
-- @return array of i32 buffers
function M.documents(text, documents, max_tokens)
  local list = {}
  for _, document in ipairs(cut[documents](text, max_tokens)) do
    if #document >= 2 then list[#list + 1] = buffer.from_bytes(document, FIRST_BYTE_TOKEN) end
  end
  return list
end

local function count_targets(documents)
  local count = 0
  for _, tokens in ipairs(documents) do count = count + #tokens - 1 end
  return count
end

-- Sum of the negative log-likelihoods of all targets, document by document, and their number.
local function sum_nll(model, runnable, documents, options)
  local sum, done, total = 0.0, 0, count_targets(documents)
  local step = options.threads * BATCH
  for first = 1, #documents, step do
    local batch = table.move(documents, first, math.min(first + step - 1, #documents), 1, {})
    local list, message, code = runnable:score_many(batch, options.threads, first)
    if not list then return nil, model.path .. ": " .. message, code end
    for _, nll in ipairs(list) do sum, done = sum + nll:sum(), done + #nll end
    if options.on_progress then options.on_progress(done, total) end
  end
  return sum, total
end

local function score_open(model, options)
  local documents = M.documents(options.text, options.documents, options.max_tokens)
  if #documents == 0 then
    return nil, "no document of the text has two tokens, so there is nothing to score", "config"
  end
  local read, message, id = load.read(model)
  if not read then return nil, message, id end
  local runnable, why, kind = load.start(read)
  if not runnable then return nil, why, kind end
  local sum, count, code = sum_nll(model, runnable, documents, options)
  if not sum then return nil, count, code end
  local mean = sum / count
  return {
    heldout_ppl = math.exp(math.min(mean, LARGEST_MEAN)), heldout_cross_entropy_nats = mean,
    token_count = count, scored_docs = #documents, parameter_count = read.parameters,
  }
end

local schema = {
  model = { type = "any" }, text = { type = "string" },
  documents = { type = "string", optional = true, default = "bytes" },
  max_tokens = { type = "integer", optional = true, default = 512 },
  threads = { type = "integer", optional = true },
  on_progress = { type = "function", optional = true },
}

local function check_options(options)
  options = check.options(options, schema, "eval.score")
  if not cut[options.documents] then error("eval.score: documents is bytes, lines or file", 3) end
  if options.max_tokens < 2 then error("eval.score: max_tokens must be at least 2", 3) end
  if not options.model then error("eval.score: key 'model' is missing", 3) end
  options.threads = math.max(1, options.threads or sys.cores())
  return options
end

--- Scores a text with a model, packed or not.
-- @param options {model = path or open model, text = string, documents = "bytes"|"lines"|"file",
--   max_tokens = 512, threads = cores, on_progress = function(done, total) of targets}
-- @return {heldout_ppl, heldout_cross_entropy_nats, token_count, scored_docs, parameter_count},
--   or nil, message, code
-- @usage see lua/cmd/eval.lua; for single tokens, examples/eval.lua
function M.score(options)
  options = check_options(options)
  if type(options.model) ~= "string" then return score_open(options.model, options) end
  local model <close>, message, code = model_module.open(options.model)
  if not model then return nil, message, code end
  return score_open(model, options)
end

return M
