-- A model beside a reference, on the same tokens: what compression costs, where, and how far the
-- two disagree. One document at a time: its logits under both models are all that is held.
local logits = require "core.logits"

local json = require "bittern.json"
local load = require "bittern.eval.load"
local models = require "bittern.model"
local report = require "bittern.report"
local totals = require "bittern.eval.totals"

local M = {}

-- Tokens that are told of, and how many tokens before each.
local WORST <const> = 20
local BEFORE <const> = 12

local Comparison = {}
Comparison.__index = Comparison

local function start(model, vocab, options)
  local read, message, code = load.read(model)
  if not read then return nil, message, code end
  if read.vocab ~= vocab then
    return nil, ("%s: has a vocabulary of %d, the scored model one of %d; name the model that it "
      .. "was made of"):format(read.path, read.vocab, vocab), "invalid_model"
  end
  local runnable, why, id = load.start(read, { exact = options.exact })
  if not runnable then return nil, why, id end
  return setmetatable({ path = read.path, reference = runnable, vocab = vocab, worst = {},
    threads = options.threads, agreed = 0, sums = { nats = totals.new(), lost = totals.new(),
    divergence = totals.new() } }, Comparison)
end

--- Begins a comparison.
-- @param path of the reference, or an open model
-- @param vocab tokens that the scored model knows
-- @param options {threads, exact} as bittern.eval.score takes them
-- @return comparison, or nil, message, code
function M.new(path, vocab, options)
  if type(path) ~= "string" then return start(path, vocab, options) end
  local model, message, code = models.open(path)
  if not model then return nil, message, code end
  local self, why, id = start(model, vocab, options)
  if not self then model:close() end
  return self, why, id -- its weights are read where they lie: collecting it closes the model
end

-- Keeps the tokens that lost most, the worst first.
local function note_worst(self, document, seen, i)
  local lost = seen.other:get(i) - seen.reference:get(i)
  local list = self.worst
  if lost <= 0 or #list == WORST and list[WORST].lost >= lost then return end
  local at = #list + 1
  while at > 1 and list[at - 1].lost < lost do at = at - 1 end
  table.insert(list, at, { document = document.number, position = i + 1, lost = lost,
    nats = seen.other:get(i), reference_nats = seen.reference:get(i), tokens = document.tokens })
  list[WORST + 1] = nil
end

local function add(self, document, seen)
  local from, count = document.from, document.targets
  local nats, before = seen.other:view(from, count):sum(), seen.reference:view(from, count):sum()
  self.sums.nats:add(before, count)
  self.sums.lost:add(nats - before, count)
  self.sums.divergence:add(seen.divergence:view(from, count):sum(), count)
  for i = from, from + count - 1 do
    self.agreed = self.agreed + seen.agree:get(i)
    note_worst(self, document, seen, i)
  end
end

--- Runs a document through both models and adds it.
-- @param runnable the scored model
-- @param document as bittern.eval.documents gives it
-- @return f32 buffer of what each token but the first costs the scored model, or nil, message, code
function Comparison:run(runnable, document)
  local ours, message, code = runnable:logits(document.tokens, self.threads)
  if not ours then return nil, message, code end
  local theirs, why, id = self.reference:logits(document.tokens, self.threads)
  if not theirs then return nil, self.path .. ": " .. why, id end
  local seen, trouble, kind = logits.compare(document.tokens, theirs, ours, self.vocab)
  if not seen then return nil, trouble, kind end
  add(self, document, seen)
  return seen.other
end

-- A token that lost, with its text and what stands before it.
local function told(one, tokenizer)
  local parts = {}
  for i = math.max(0, one.position - BEFORE), one.position - 1 do
    parts[#parts + 1] = tokenizer.text(one.tokens:get(i))
  end
  return { document = one.document, position = one.position, lost_nats = one.lost,
    nats = one.nats, reference_nats = one.reference_nats,
    before = report.valid(table.concat(parts)),
    token = report.valid(tokenizer.text(one.tokens:get(one.position))) }
end

--- What was found.
-- @param tokenizer that made the tokens
-- @return {model, heldout_cross_entropy_nats, heldout_ppl of the reference; lost_nats with
--   lost_error_nats, divergence_nats with divergence_error_nats: means over targets with their
--   standard errors; top1_agreement = share; worst = {{document, position, token, before,
--   lost_nats, nats, reference_nats}}}
function Comparison:result(tokenizer)
  local sums, worst = self.sums, json.array {}
  for i, one in ipairs(self.worst) do worst[i] = told(one, tokenizer) end
  return {
    model = self.path, heldout_cross_entropy_nats = sums.nats:mean(),
    heldout_ppl = math.exp(math.min(sums.nats:mean(), 700)), lost_nats = sums.lost:mean(),
    lost_error_nats = sums.lost:standard_error(), divergence_nats = sums.divergence:mean(),
    divergence_error_nats = sums.divergence:standard_error(),
    top1_agreement = self.agreed / sums.lost.targets, worst = worst,
  }
end

return M
