-- The local work behind the steps of `mine`: what it depends on, and what comes out of it.
local fs = require "core.fs"
local lfs = require "lfs"
local sha256 = require "core.sha256"
local sys = require "core.sys"

local budget = require "bittern.compress.budget"
local check = require "bittern.check"
local files = require "bittern.files"
local gate = require "bittern.gate"
local model = require "bittern.model"
local packed = require "bittern.artifact.packed"
local report = require "bittern.report"
local rules = require "bittern.rules"
local script = require "bittern.script"
local submit = require "bittern.submit"

local M = {}

local TEXT_MAX <const> = 1 << 30

-- Loaded where they work: a command that claims or tracks compresses and scores nothing.
local function engine() return require "bittern.compress.engine" end
local function eval() return require "bittern.eval.score" end
local function cache() return require "bittern.eval.cache" end

--- Where rules come from: "23 rules: 2 from mode, 21 from onboarding".
-- @param list array of rules
-- @return string
function M.sources(list)
  local count, parts = {}, {}
  for _, rule in ipairs(list) do
    local source = rule.source:match("^built in") or rule.source:match("^task JSON")
      or rule.source:match("^%w+")
    count[source] = (count[source] or 0) + 1
  end
  for i, source in ipairs(check.sorted_keys(count)) do
    parts[i] = ("%d from %s"):format(count[source], source)
  end
  return ("%d rules: %s"):format(#list, table.concat(parts, ", "))
end

--- What a claim is described as, when the miner has no words of their own.
function M.description(args)
  return ("Bittern: recipe %s"):format(args.recipe:match("([^/]+)$"):gsub("%.lua$", ""))
end

--- Every rule of a task whose mode is known here.
-- @param task record
-- @param text its onboarding, or nil
-- @return as rules.of_task, or nil, message, code
function M.rules(task, text)
  local parts, message, code = rules.of_task(task, text)
  if not parts then return nil, message, code end
  if parts.mode then return parts end
  return nil, ("task %s: the competition mode '%s' is not known here; such tasks are not mined")
    :format(task.slug, task.competition_mode), "stop"
end

--- Name, size and time of a folder's files: enough to see that a model was exchanged, and quick
-- for 54 GB.
-- @param folder path
-- @return text, or nil, message, code
function M.fingerprint(folder)
  local entries = {}
  if lfs.attributes(folder, "mode") ~= "directory" then
    return nil, folder .. ": no model directory", "not_found"
  end
  for name in lfs.dir(folder) do
    local info = lfs.attributes(folder .. "/" .. name)
    if info and info.mode == "file" then
      entries[#entries + 1] = ("%s %d %d"):format(name, info.size, info.modification)
    end
  end
  table.sort(entries)
  return sha256.hex(table.concat(entries, "\n"))
end

-- What the words of the command line say wrong, found before anybody is asked or hours pass.
local function check_words(args, recipe)
  local ok, message, code = script.arguments(recipe, args.set)
  if not ok then return nil, ("recipe %s: %s"):format(args.recipe, message), code end
  ok, message, code = script.find("publish", args.publish)
  if ok and args.budget then ok, message, code = budget.rate(args.budget) end
  if ok and args.base_ref then ok, message, code = submit.base_ref(nil, args.base_ref) end
  if not ok then return nil, message, code end
  return true
end

--- What is asked for, in a form that two runs can compare.
-- @param args of the command
-- @return table that JSON can hold, or nil, message, code
function M.settings(args)
  local recipe, path, code = script.find("recipe", args.recipe)
  if not recipe then return nil, path, code end
  local sound, wrong, kind_of = check_words(args, recipe)
  if not sound then return nil, wrong, kind_of end
  local model_mark, message, id = M.fingerprint(args.model)
  if not model_mark then return nil, message, id end
  local recipe_hash, why, kind = sha256.file(path)
  if not recipe_hash then return nil, why, kind end
  local text_hash
  text_hash, why, kind = sha256.file(args.text)
  if not text_hash then return nil, why, kind end
  local patch_hash
  if args.patch then patch_hash, why, kind = sha256.file(args.patch) end
  if args.patch and not patch_hash then return nil, why, kind end
  return {
    model = model_mark, recipe = recipe_hash, text = text_hash, set = args.set, flow = args.flow,
    publish = args.publish, budget = args.budget, idea = args.idea, implements = args.implements,
    summary = args.summary, base_ref = args.base_ref, workspace = args.workspace,
    patch = patch_hash,
  }
end

local function pick(settings, ...)
  local picked = {}
  for _, name in ipairs { ... } do picked[name] = settings[name] end
  return picked
end

local function value_of(list, id)
  for _, rule in ipairs(list) do
    if rule.id == id then return rule.value end
  end
  return nil
end

-- Bits a parameter: what the user says, else what the task's rules allow.
local function rate(ctx)
  local known = ctx.args.budget or value_of(ctx.demands.rules, "budget.model")
  if known then return known end
  return nil, "the budget of this task is not known: give --budget binary, ternary or N/D", "usage"
end

--- What compressing depends on.
function M.compress_inputs(ctx)
  local inputs = pick(ctx.settings, "model", "recipe", "set")
  inputs.budget = rate(ctx) or "unknown"
  return inputs
end

-- Most bytes that the archive may have: the rate, and what the task allows in all.
local function limit_of(ctx, parameters)
  local bits, message, code = rate(ctx)
  if not bits then return nil, message, code end
  local limit
  limit, message, code = budget.bytes(parameters, bits)
  if not limit then return nil, message, code end
  local most = value_of(ctx.demands.rules, "budget.reference")
  return most and math.min(limit, most) or limit
end

local function parameters_of(path)
  local opened <close>, message, code = model.open(path)
  if not opened then return nil, message, code end
  return packed.parameters(opened)
end

-- A progress line that begins with the first news: who calls it, and how it ends.
local function meter(label, unit)
  local progress
  local function tell(done, total)
    progress = progress or report.progress { label = label, unit = unit, total = total }
    progress:update(done)
  end
  return tell, function()
    if progress then progress:finish() end
  end
end

--- Compresses the model with the recipe into ctx.folder.
-- @return {out=, recipe=, about=, bytes=, parameters=, budget=, files=}, or nil, message, code
function M.compress(ctx)
  local parameters, message, code = parameters_of(ctx.args.model)
  if not parameters then return nil, message, code end
  local limit
  limit, message, code = limit_of(ctx, parameters)
  if not limit then return nil, message, code end
  local recipe, path = script.find("recipe", ctx.args.recipe)
  if not recipe then return nil, path, "not_found" end
  local out = ctx.folder .. "/model"
  local tell, finish = meter("compress", "B")
  local started = sys.time()
  local done
  done, message, code = engine().run {
    model = ctx.args.model, recipe = path, out = out, budget = limit, set = ctx.args.set,
    on_progress = tell, on_note = report.say,
  }
  finish()
  if not done then return nil, message, code end
  local id
  id, message, code = ctx.ledger:add_compression(ctx.args.model, done, started)
  if not id then return nil, message, code end
  return {
    compression = id, out = out, recipe = path:match("([^/]+)%.lua$"), about = recipe.about,
    bytes = done.bytes, parameters = done.parameters, budget = limit, files = files.below(out),
  }
end

local function hashes(proven)
  local list = {}
  for i, file in ipairs(proven) do list[i] = file.sha256 end
  return list
end

--- What scoring depends on.
function M.eval_inputs(ctx, state)
  local inputs = pick(ctx.settings, "model", "text")
  inputs.packed = hashes(state.compress.files)
  return inputs
end

--- Scores one model on the held-out text.
-- @param path model directory
-- @param label for the progress line
-- @return the numbers that a submission may claim, or nil, message, code
function M.score(ctx, path, label)
  local text, why, id = fs.read(ctx.args.text, TEXT_MAX)
  if not text then return nil, why, id end
  local tell, finish = meter(label, "tokens")
  local score, message, code = eval().score { model = path, text = text, on_progress = tell }
  finish()
  if not score then return nil, message, code end
  return pick(score, "heldout_ppl", "heldout_cross_entropy_nats", "token_count", "scored_docs",
    "parameter_count")
end

--- Notes the archive and its score in the ledger, as `compress` and `eval` would.
-- @param archive {path=, size=, sha256=}
-- @return true, or nil, message, code
function M.note(ctx, state, archive)
  local id, packed_score = state.compress.compression, state.eval.packed
  if not id then return true end -- compressed by an earlier bittern, which noted nothing
  local ok, message, code = ctx.ledger:set_archive(id, archive)
  if not ok then return nil, message, code end
  local text
  text, message, code = sha256.file(ctx.args.text)
  if not text then return nil, message, code end
  local settings = assert(cache().settings { mode = "validator", documents = "tokens",
    max_tokens = 512, tokenizer = "auto" })
  return ctx.ledger:add_score {
    model = archive.path, sha256 = archive.sha256, size = archive.size, text = text,
    settings = settings, nats = packed_score.heldout_cross_entropy_nats,
    tokens = packed_score.token_count, parameters = packed_score.parameter_count,
  }
end

--- What packing depends on.
function M.pack_inputs(_, state)
  return { files = hashes(state.compress.files) }
end

--- What publishing depends on.
function M.publish_inputs(ctx, state)
  return { sha256 = state.hash.sha256, publisher = ctx.args.publish, base = ctx.client.base }
end

--- Tells why the gate says STOP.
-- @param judged what gate.judge gives
-- @return one line for the failure's message
function M.stop(ctx, judged)
  for _, line in ipairs(gate.lines(judged, ctx.report.clean)) do ctx.report.say("    " .. line) end
  local reasons = {}
  for i, result in ipairs(gate.failures(judged)) do reasons[i] = tostring(result.reason) end
  return "the gate says STOP: " .. table.concat(reasons, "; ")
end

--- What the validators measured, in a few words.
function M.observed(submission)
  local metrics = submission.observed_metrics
  local ppl = type(metrics) == "table" and metrics.heldout_ppl
  return ppl and ("observed perplexity %.4f"):format(ppl) or "no observed metrics"
end

return M
