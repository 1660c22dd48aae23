-- bittern eval MODEL --text FILE: what a validator would measure.
local fs = require "core.fs"

local check = require "bittern.check"
local score = require "bittern.eval.score"

local LARGEST_TEXT <const> = 1 << 30

-- A line of progress that knows how many targets there are once the first are done.
local function progress(ctx)
  local line
  return function(done, total)
    line = line or ctx.report.progress { label = "eval", total = total, unit = "tokens" }
    line:update(done)
    if done == total then line:finish() end
  end
end

local function show(ctx, result)
  ctx.report.out(("heldout_ppl=%.6f"):format(result.heldout_ppl))
  ctx.report.out(("heldout_cross_entropy_nats=%.6f"):format(result.heldout_cross_entropy_nats))
  for _, key in ipairs { "token_count", "scored_docs", "parameter_count" } do
    ctx.report.out(("%s=%d"):format(key, result[key]))
  end
end

return {
  api = 1,
  about = "perplexity of a model or packed artifact on a text",
  group = "model",
  args = function(parser)
    parser:argument("model", "a model directory or an artifact")
    parser:option("--text", "the text to score"):argname "FILE":count(1)
    parser:option("--max-tokens", "most tokens of a document"):argname "N":default "512"
      :convert(check.whole("--max-tokens", 2, 1 << 20))
    parser:option("--documents", "cut the text every --max-tokens bytes, by lines, or not")
      :choices { "bytes", "lines", "file" }:default "bytes"
    parser:option("--threads", "documents scored at once (else one per core)"):argname "N"
      :convert(check.whole("--threads", 1, 256))
  end,
  run = function(ctx)
    local args = ctx.args
    local text, message, code = fs.read(args.text, LARGEST_TEXT)
    if not text then return nil, message, code end
    local result, why, id = score.score {
      model = args.model, text = text, documents = args.documents, max_tokens = args.max_tokens,
      threads = args.threads, on_progress = progress(ctx),
    }
    if not result then return nil, why, id end
    if ctx.json then ctx.report.data(result) else show(ctx, result) end
    return true
  end,
}
