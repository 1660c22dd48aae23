-- Workflow `sweep`: compresses a model by several recipes and settings, scores each, and tells
-- which of them nothing else beats in both size and perplexity. `bittern sweep MODEL --text F` runs
-- it; the same command again does only what is missing. An artifact goes once it is scored:
-- compressing again gives the same bytes.
local fs = require "core.fs"
local sha256 = require "core.sha256"
local sys = require "core.sys"

local cache = require "bittern.eval.cache"
local check = require "bittern.check"
local engine = require "bittern.compress.engine"
local eval = require "bittern.eval.score"
local frontiers = require "bittern.eval.frontier"
local script = require "bittern.script"
local workflow = require "bittern.workflow"

-- What ends one attempt and not the sweep: the budget, or a mistake in a recipe.
local local_faults = { over_budget = true, script = true, script_limit = true, usage = true }

-- "recipe base=t5 group=64", keys sorted.
local function label_of(try)
  local name = try.recipe:match("([^/]+)$"):gsub("%.lua$", "")
  local parts = { name }
  for _, key in ipairs(check.sorted_keys(try.set)) do
    parts[#parts + 1] = key .. "=" .. try.set[key]
  end
  return table.concat(parts, " ")
end

-- "recipe:key=value:key=value" as an attempt.
local function parse(text)
  local recipe, rest = text:match("^([^:]+):?(.*)$")
  if not recipe then return nil, ("--try '%s' names no recipe"):format(text), "usage" end
  local set = {}
  for word in rest:gmatch("[^:]+") do
    local key, value = word:match("^([%w_]+)=(.*)$")
    if not key then
      return nil, ("--try '%s': '%s' is not of the form KEY=VALUE"):format(text, word), "usage"
    end
    set[key] = value
  end
  return { recipe = recipe, set = set }
end

-- Every recipe that is found, as it is, when none is named.
local function wanted(ctx)
  if #ctx.args.try > 0 then return ctx.args.try end
  local names = {}
  for _, entry in ipairs(script.list("recipe")) do
    if not entry.shadowed and not entry.untrusted then names[#names + 1] = entry.name end
  end
  return names
end

local function attempts(ctx)
  local list = {}
  for _, text in ipairs(wanted(ctx)) do
    local try, path, code = parse(text)
    if not try then return nil, path, code end
    local found
    found, path, code = script.find("recipe", try.recipe)
    if not found then return nil, path, code end
    local _, message, id = script.arguments(found, try.set)
    if message then return nil, ("recipe %s: %s"):format(try.recipe, message), id end
    try.sha256, message, id = sha256.file(path)
    if not try.sha256 then return nil, message, id end
    try.label = label_of(try)
    list[#list + 1] = try
  end
  return { list = list }, ("%d to try, budget %s"):format(#list, ctx.args.budget)
end

local function score(ctx, path)
  local progress
  local result, message, code = eval.score {
    model = path, text = ctx.text, max_tokens = ctx.args.max_tokens,
    on_progress = function(done, total)
      progress = progress or ctx.report.progress { label = "eval", total = total, unit = "tokens" }
      progress:update(done)
    end,
  }
  if progress then progress:finish() end
  return result, message, code
end

local function compress(ctx, try, path)
  local started = sys.time()
  local made, message, code = engine.run {
    model = ctx.args.model, recipe = try.recipe, set = try.set, out = path,
    budget = ctx.args.budget, importance = ctx.args.importance,
  }
  if not made then return nil, message, code end
  local id, why, kind = ctx.ledger:add_compression(ctx.args.model, made, started)
  if not id then return nil, why, kind end
  return made
end

-- The score as `bittern eval` notes one, for `bittern frontier`.
local function record(ctx, try, made, path, scored)
  local mark, message, code = cache.mark { model = path, text = ctx.text, mode = "validator",
    documents = "tokens", max_tokens = ctx.args.max_tokens, tokenizer = "auto" }
  if not mark then return nil, message, code end
  return ctx.ledger:add_score { model = try.label, sha256 = mark.sha256, size = made.size,
    text = mark.text, settings = mark.settings, nats = scored.heldout_cross_entropy_nats,
    error = scored.standard_error_nats, tokens = scored.token_count,
    parameters = scored.parameter_count }
end

local function measure(ctx, try)
  local path = ctx.folder .. "/candidate.zip"
  local made, message, code = compress(ctx, try, path)
  if not made and local_faults[code] then
    return { error = message }, "not possible: " .. ctx.report.clean(message)
  end
  if not made then return nil, message, code end
  local scored, why, id = score(ctx, path)
  if not scored then return nil, why, id end
  local noted, trouble, cause = record(ctx, try, made, path, scored)
  if not noted then return nil, trouble, cause end
  local gone, reason, kind = fs.remove(path)
  if not gone then return nil, reason, kind end
  return { bytes = made.size, parameters = made.parameters, ppl = scored.heldout_ppl,
    nats = scored.heldout_cross_entropy_nats },
    ("%s bytes, perplexity %.4f"):format(ctx.report.thousands(made.size), scored.heldout_ppl)
end

-- Each attempt is a step of its own, so that a sweep that was stopped goes on with the next one.
local function measure_all(ctx, state)
  local steps, points = {}, {}
  for i, try in ipairs(state.attempts.list) do
    steps[i] = {
      name = "try " .. try.label, run = function() return measure(ctx, try) end,
      inputs = function()
        return { model = ctx.settings.model, text = ctx.settings.text, sha256 = try.sha256,
          budget = ctx.args.budget, max_tokens = ctx.args.max_tokens, set = try.set,
          importance = ctx.settings.importance }
      end,
    }
  end
  local done, message, code = workflow.run({ steps = steps }, ctx)
  if not done then return nil, message, code end
  for i, try in ipairs(state.attempts.list) do
    points[i] = done["try " .. try.label]
    points[i].label, points[i].recipe, points[i].set = try.label, try.recipe, try.set
  end
  return { points = points }, ("%d measured"):format(#points)
end

local function frontier(_, state)
  local points = state.measure.points
  local count = frontiers.mark(points)
  return { points = points }, ("%d of %d on the frontier"):format(count, #points)
end

return {
  api = 1,
  about = "compress by several recipes, score each, keep the frontier of size and perplexity",
  steps = {
    { name = "attempts", always = true, run = attempts },
    { name = "measure", always = true, run = measure_all },
    { name = "frontier", always = true, run = frontier },
  },
}
