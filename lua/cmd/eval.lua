-- bittern eval MODEL --text FILE: what a validator would measure.
local LARGEST_TEXT <const> = 1 << 30
-- As many as validators take.
local LAYER_DOCUMENTS <const> = 16

-- A line of progress with the perplexity so far and how far it may be off.
local function progress(report)
  local line
  return function(done, total, mean, off)
    line = line or report.progress { label = "eval", total = total, unit = "tokens" }
    local ppl = math.exp(math.min(mean, 700))
    line:update(done, ("perplexity %.4f%s"):format(ppl, off and (" +- %.4f"):format(ppl * off)
      or ""))
    if done == total then line:finish() end
  end
end

local whole_numbers <const> = { "token_count", "scored_docs", "parameter_count" }

local function show_documents(report, list)
  local rows = {}
  for i, one in ipairs(list) do
    rows[i] = { ("%d"):format(one.document), ("%d"):format(one.tokens),
      ("%.6f"):format(one.nats), ("%.4f"):format(math.exp(math.min(one.nats, 700))) }
  end
  local columns = {}
  for i, title in ipairs { "DOCUMENT", "TOKENS", "NATS", "PERPLEXITY" } do
    columns[i] = { title, right = true }
  end
  for _, line in ipairs(report.table(columns, rows)) do report.out(line) end
end

-- A token's text on one line.
local function quoted(report, text)
  return "'" .. report.clean((text:gsub("\n", "\\n"):gsub("\t", "\\t"))) .. "'"
end

local function show_worst(report, list)
  local rows = {}
  for i, one in ipairs(list) do
    rows[i] = { ("%.4f"):format(one.lost_nats), ("%.4f"):format(one.reference_nats),
      ("%d"):format(one.document), ("%d"):format(one.position), quoted(report, one.token),
      quoted(report, one.before) }
  end
  local columns = { { "LOST", right = true }, { "REFERENCE", right = true },
    { "DOCUMENT", right = true }, { "POSITION", right = true }, { "TOKEN" }, { "BEHIND" } }
  for _, line in ipairs(report.table(columns, rows)) do report.out(line) end
end

local function show_reference(report, found)
  for _, key in ipairs { "heldout_ppl", "heldout_cross_entropy_nats" } do
    report.out(("reference_%s=%.6f"):format(key, found[key]))
  end
  for _, key in ipairs { "lost_nats", "lost_error_nats", "divergence_nats",
    "divergence_error_nats", "top1_agreement" } do
    if found[key] then report.out(("%s=%.6f"):format(key, found[key])) end
  end
  if #found.worst > 0 then show_worst(report, found.worst) end
end

local function show(report, result)
  report.out(("heldout_ppl=%.6f"):format(result.heldout_ppl))
  report.out(("heldout_cross_entropy_nats=%.6f"):format(result.heldout_cross_entropy_nats))
  for _, key in ipairs(whole_numbers) do report.out(("%s=%d"):format(key, result[key])) end
  if result.standard_error_nats then
    report.out(("standard_error_nats=%.6f"):format(result.standard_error_nats))
    report.out(("standard_error_ppl=%.6f"):format(result.standard_error_ppl))
  end
  if result.reference then show_reference(report, result.reference) end
  if result.documents then show_documents(report, result.documents) end
  if result.scored_docs < result.all_docs then
    report.say(("%d of %d documents"):format(result.scored_docs, result.all_docs))
  end
end

local function show_layers(report, result)
  local rows = {}
  for i, one in ipairs(result.tensors) do
    rows[i] = { report.clean(one.name), one.codec, ("%d"):format(one.rescued),
      ("%.6f"):format(one.lost_nats), ("%.6f"):format(one.lost_error_nats or 0) }
  end
  local columns = { { "TENSOR" }, { "CODEC" }, { "RESCUED", right = true },
    { "LOST", right = true }, { "ERROR", right = true } }
  for _, line in ipairs(report.table(columns, rows)) do report.out(line) end
  report.say(("%d documents, %s tokens; the base costs %.6f nats"):format(result.scored_docs,
    report.thousands(result.token_count), result.base_nats))
end

local function nats(text)
  local value = tonumber(text)
  if value and value > 0 and value < 1e9 then return value end
  return nil, ("--until-se must be a number of nats above 0, not '%s'"):format(text)
end

local function arguments(parser)
  local whole = require("bittern.check").whole
  local documents = require "bittern.eval.documents"
  parser:argument("model", "a model directory or an artifact")
  parser:option("--text", "the text to score, UTF-8"):argname "FILE":count(1)
  parser:option("--mode", "all targets of documents, llama.cpp's chunks, or windows by --stride")
    :choices(documents.modes()):default "validator"
  parser:option("--max-tokens", "most tokens of a document, chunk or window"):argname "N"
    :default "512":convert(whole("--max-tokens", 2, 1 << 20))
  parser:option("--documents", "cut the text every --max-tokens, by lines, or not")
    :choices(documents.cuts()):default "tokens"
  parser:option("--stride", "from window to window (else half of --max-tokens)"):argname "N"
    :convert(whole("--stride", 1, 1 << 20))
  parser:option("--limit", "at most so many documents"):argname "N"
    :convert(whole("--limit", 1, 1 << 30))
  parser:option("--seed", "draw the documents of --limit (else the first)"):argname "N"
    :convert(whole("--seed", 0, 1 << 53))
  parser:option("--until-se", "stop once the standard error is at most so many nats")
    :argname "X":convert(nats)
  parser:option("--tokenizer", "auto, bytes or a tokenizer.json"):argname "T":default "auto"
  parser:option("--reference", "a model to compare with: KL divergence, worst tokens")
    :argname "MODEL"
  parser:option("--by-layer", "what each packed matrix alone costs in the dense BASE, on 16 "
    .. "documents unless --limit says otherwise"):argname "BASE"
  parser:option("--threads", "that share the work (else one per core)"):argname "N"
    :convert(whole("--threads", 1, 256))
  parser:flag("--exact", "f32 throughout, no activations in eight bits")
  parser:flag("--per-document", "a table of documents, too")
  parser:flag("--no-cache", "score again what was measured before")
end

local function check_arguments(args)
  if args.stride and args.mode ~= "stride" then
    return nil, "--stride is for --mode stride", "usage"
  end
  if args.stride and args.stride > args.max_tokens then
    return nil, "--stride must not exceed --max-tokens: tokens between would be left out", "usage"
  end
  if args.by_layer and (args.reference or args.until_se or args.per_document) then
    return nil, "--by-layer goes without --reference, --until-se and --per-document", "usage"
  end
  if args.seed and not args.limit then
    return nil, "--seed draws documents for --limit N; give both", "usage"
  end
  return true
end

-- A score belongs into the ledger; that it cannot be noted does not undo it.
local function record(report, args, mark, result)
  local ledger <close>, message = require("bittern.ledger").open()
  local ok
  if ledger then
    ok, message = ledger:add_score { model = args.model, sha256 = mark.sha256, size = mark.size,
      text = mark.text, settings = mark.settings, nats = result.heldout_cross_entropy_nats,
      error = result.standard_error_nats, tokens = result.token_count,
      parameters = result.parameter_count }
  end
  if not ok then report.warn("not in the ledger: " .. message) end
end

-- What an earlier run has measured, as far as it came; gives what it is known by.
local function resume(ctx, options)
  local cache = require "bittern.eval.cache"
  options.by_layer, options.reference = true, options.base
  local mark, message, code = cache.mark(options)
  if not mark then return nil, message, code end
  local known = not ctx.args.no_cache and cache.read(mark) or {}
  if type(known.tensors) ~= "table" then known = { tensors = {} } end
  if next(known.tensors) then
    ctx.report.say "goes on from what was measured before; --no-cache begins again"
  end
  options.known, options.keep = known, function(now)
    local kept, why = cache.keep(mark, now)
    if not kept then ctx.report.warn("not in the cache: " .. why) end
  end
  return mark
end

-- The costs of single matrices belong into the ledger, too.
local function note_costs(options, mark, result)
  local ledger <close>, why, id = require("bittern.ledger").open()
  if not ledger then return nil, why, id end
  mark.model, mark.base = options.model, options.base
  local ok, wrong, kind = ledger:add_costs(mark, result.tensors)
  return ok, wrong, kind
end

local function measure_layers(ctx, options)
  local args, line = ctx.args, nil
  options.base, options.limit = args.by_layer, args.limit or LAYER_DOCUMENTS
  local mark, why, id = resume(ctx, options)
  if not mark then return nil, why, id end
  options.stride = options.stride or options.max_tokens // 2
  options.threads = args.threads or require("core.sys").cores()
  options.on_progress = function(done, total)
    line = line or ctx.report.progress { label = "eval", total = total, unit = "tensors" }
    line:update(done)
  end
  local result, message, code = require("bittern.eval.layers").measure(options)
  if line then line:finish() end
  if not result then return nil, message, code end
  local noted, reason = note_costs(options, mark, result)
  if not noted then ctx.report.warn("not in the ledger: " .. reason) end
  if ctx.json then ctx.report.data(result) else show_layers(ctx.report, result) end
  return true
end

-- What was measured before, or is now.
local function measure(ctx, options)
  local cache = require "bittern.eval.cache"
  local args, report = ctx.args, ctx.report
  local mark, message, code = cache.mark(options)
  if not mark then return nil, message, code end
  local result = not args.no_cache and cache.find(mark) or nil
  if result then
    report.say "measured before; --no-cache scores again"
  else
    options.threads, options.per_document = args.threads, true
    options.on_progress = progress(report)
    result, message, code = require("bittern.eval.score").score(options)
    if not result then return nil, message, code end
    local kept, why = cache.keep(mark, result)
    if not kept then report.warn("not in the cache: " .. why) end
  end
  record(report, args, mark, result)
  return result
end

return {
  api = 1,
  about = "perplexity of a model or packed artifact on a text",
  group = "model",
  args = arguments,
  run = function(ctx)
    local args, report = ctx.args, ctx.report
    local ok, wrong, kind = check_arguments(args)
    if not ok then return nil, wrong, kind end
    local text, message, code = require("core.fs").read(args.text, LARGEST_TEXT)
    if not text then return nil, message, code end
    local options = {
      model = args.model, text = text, mode = args.mode, documents = args.documents,
      max_tokens = args.max_tokens, stride = args.stride, limit = args.limit, seed = args.seed,
      until_se = args.until_se, tokenizer = args.tokenizer, reference = args.reference,
      exact = args.exact or false,
    }
    if args.by_layer then return measure_layers(ctx, options) end
    local result, why, id = measure(ctx, options)
    if not result then return nil, why, id end
    if not args.per_document then result.documents = nil end
    if ctx.json then report.data(result) else show(report, result) end
    return true
  end,
}
