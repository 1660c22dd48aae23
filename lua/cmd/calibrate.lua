-- bittern calibrate MODEL --text FILE --out FILE: how strongly each column of a matrix is excited.
local LARGEST_TEXT <const> = 1 << 30
local MOST_LAYERS <const> = 1 << 10

-- "0-7,12,head" -> {[0] = true, ...}
local function layers(text)
  local set = {}
  for part in (text .. ","):gmatch("([^,]*),") do
    local first, last = part:match("^(%d+)%-?(%d*)$")
    first = math.tointeger(first)
    last = last == "" and first or math.tointeger(last)
    if part == "head" then
      set.head = true
    elseif not first or not last or last < first or last > MOST_LAYERS then
      return nil, ("--layers must be numbers, ranges or head, such as 0-7,12, not '%s'")
        :format(text)
    else
      for number = first, last do set[number] = true end
    end
  end
  return set
end

local function power(text)
  local value = tonumber(text)
  if value and value > 0 and value <= 4 then return value end
  return nil, ("--power must be a number above 0, at most 4, not '%s'"):format(text)
end

local function arguments(parser)
  local whole = require("bittern.check").whole
  parser:argument("model", "a model directory, an archive or a GGUF file")
  parser:option("--text", "the text to run on, UTF-8; not the one to score on"):argname "FILE"
    :count(1)
  parser:option("--out", "importances, as `compress --importance` reads them")
    :argname "FILE.safetensors":count(1)
  parser:option("--max-tokens", "most tokens of a document"):argname "N":default "512"
    :convert(whole("--max-tokens", 2, 1 << 20))
  parser:option("--documents", "cut the text every --max-tokens, by lines, or not")
    :choices(require("bittern.eval.documents").cuts()):default "tokens"
  parser:option("--limit", "at most so many documents"):argname "N"
    :convert(whole("--limit", 1, 1 << 30))
  parser:option("--seed", "draw the documents of --limit (else the first)"):argname "N"
    :convert(whole("--seed", 0, 1 << 53))
  parser:option("--tokenizer", "auto, bytes or a tokenizer.json"):argname "T":default "auto"
  parser:option("--threads", "that share the work (else one per core)"):argname "N"
    :convert(whole("--threads", 1, 256))
  parser:option("--power", "write importances to this power: below 1, columns differ less")
    :argname "P":default "1":convert(power)
  parser:flag("--hessian", "also second moments of pairs of columns, in half of the free memory")
  parser:option("--layers", "those of --hessian, such as 0-7,12,head (else all that fit)")
    :argname "LIST":convert(layers)
end

-- How many matrices lack something, by the reason; each of them for those who want to know.
local function tell(report, list, what)
  local counts, order = {}, {}
  for _, one in ipairs(list) do
    if not counts[one.why] then order[#order + 1] = one.why end
    counts[one.why] = (counts[one.why] or 0) + 1
    report.detail(("%s: %s"):format(one.why, report.clean(one.name)))
  end
  for _, why in ipairs(order) do
    report.say(("%d matrices %s: %s (--verbose names them)"):format(counts[why], what, why))
  end
end

local function show(report, result)
  for _, key in ipairs { "tokens", "documents", "matrices", "hessians", "bytes" } do
    report.out(("%s=%d"):format(key, result[key]))
  end
  if result.resumed > 0 then
    report.say(("%d documents were there from before"):format(result.resumed))
  end
  tell(report, result.left_out, "are left out")
  tell(report, result.without_hessian, "have no Hessian")
end

local function check_arguments(args)
  if args.seed and not args.limit then
    return nil, "--seed draws documents for --limit N; give both", "usage"
  elseif args.layers and not args.hessian then
    return nil, "--layers are those of --hessian; give both", "usage"
  elseif not args.out:find("%.safetensors$") then
    return nil, args.out .. ": importances are read from files that end in .safetensors", "usage"
  end
  return true
end

return {
  api = 1,
  about = "how strongly a text excites each column, for --importance",
  group = "model",
  args = arguments,
  run = function(ctx)
    local args, report, line = ctx.args, ctx.report, nil
    local ok, wrong, kind = check_arguments(args)
    if not ok then return nil, wrong, kind end
    local text, message, code = require("core.fs").read(args.text, LARGEST_TEXT)
    if not text then return nil, message, code end
    local result, why, id = require("bittern.calibrate").run {
      model = args.model, text = text, out = args.out, documents = args.documents,
      max_tokens = args.max_tokens, limit = args.limit, seed = args.seed,
      tokenizer = args.tokenizer, threads = args.threads, hessian = args.hessian or false,
      layers = args.layers, power = args.power,
      on_progress = function(done, total)
        line = line or report.progress { label = "calibrate", total = total, unit = "tokens" }
        line:update(done)
      end,
    }
    if line then line:finish() end
    if not result then return nil, why, id end
    if ctx.json then report.data(result) else show(report, result) end
    return true
  end,
}
