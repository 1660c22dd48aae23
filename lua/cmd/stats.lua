-- bittern stats PATH: how the numbers of each tensor are spread.
local text = require "bittern.inspect.text"

local WIDTH <const> = 80
local STEPS <const>, TALL_STEPS <const>, BAR <const> = 12, 24, 50
local LEVELS <const> = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" }

-- Counts as one row of blocks; an empty step is a space.
local function spark(counts)
  local most, parts = 1, {}
  for _, count in ipairs(counts) do most = math.max(most, count) end
  for i, count in ipairs(counts) do
    local level = math.max(1, math.ceil(count * #LEVELS / most))
    parts[i] = count == 0 and " " or LEVELS[level]
  end
  return table.concat(parts)
end

local function share_text(share)
  if share == 0 then return "0" end
  return share < 5e-5 and "<0.01 %" or ("%.2f %%"):format(100 * share)
end

local function spread_text(norms)
  if not norms then return "" end
  return type(norms.spread) == "number" and ("x%.3g"):format(norms.spread) or "x inf"
end

local TITLES <const> = { "TENSOR", "STD", "ABSMAX", "OUTLIERS", "ROW NORMS", "HISTOGRAM" }

local function row_of(name, d)
  if not d.mean then return { name, d.codec, "", "", "", "" } end
  return { name, ("%.3g"):format(d.std), ("%.3g"):format(d.absmax),
    share_text(d.outliers), spread_text(d.row_norms),
    d.histogram and spark(d.histogram.counts) or "" }
end

local function show_table(report, list)
  local rows, columns, heading = {}, {}, nil
  for _, d in ipairs(list) do
    local name = report.clean(d.name)
    local layer, rest = name:match("^(.*%.%d+)%.(.+)$")
    if layer and layer ~= heading then rows[#rows + 1] = { layer } end
    heading = layer
    rows[#rows + 1] = row_of(layer and "  " .. rest or name, d)
  end
  text.fit(rows, TITLES, WIDTH)
  for i, title in ipairs(TITLES) do columns[i] = { title, right = i > 1 and i < 6 } end
  for _, line in ipairs(report.table(columns, rows)) do report.out(line) end
end

local function show_histogram(report, histogram)
  local most, step = 1, (histogram.high - histogram.low) / #histogram.counts
  for _, count in ipairs(histogram.counts) do most = math.max(most, count) end
  report.out("")
  for i, count in ipairs(histogram.counts) do
    local bar = ("#"):rep(count == 0 and 0 or math.max(1, count * BAR // most))
    local line = ("%+10.3g  %-" .. BAR .. "s %s"):format(histogram.low + (i - 1) * step, bar,
      report.thousands(count))
    report.out((line:gsub("%s+$", "")))
  end
end

local function show_one(report, d)
  report.out(("tensor      %s"):format(text.cut(report.clean(d.name), WIDTH - 12)))
  report.out(("stored as   %s, %s"):format(d.codec, text.shape(d.shape)))
  report.out(("values      %s, %s of them zero"):format(report.thousands(d.count),
    report.thousands(d.zeros)))
  if not d.mean then return end
  report.out(("mean, std   %+.6g, %.6g"):format(d.mean, d.std))
  report.out(("range       %+.6g .. %+.6g"):format(d.min, d.max))
  report.out(("outliers    %s beyond 4 std"):format(share_text(d.outliers)))
  local norms = d.row_norms
  if norms then
    report.out(("row norms   %.4g .. %.4g, mean %.4g, std %.4g (%s)"):format(norms.min, norms.max,
      norms.mean, norms.std, spread_text(norms)))
  end
  if d.histogram then show_histogram(report, d.histogram) end
end

local function warn(report, d)
  if d.nans + d.infinities > 0 then
    report.warn(("tensor '%s': %d NaN, %d infinite"):format(report.clean(d.name), d.nans,
      d.infinities))
  end
end

-- The tensors that are asked for, or all that hold numbers.
local function choose(content, held, model, names)
  local items = {}
  for _, name in ipairs(names) do
    local item, message, code = content.find(held, model, name)
    if not item then return nil, message, code end
    items[#items + 1] = item
  end
  if #names > 0 then return items end
  for _, item in ipairs(held.items) do
    if content.is_decoded(item) then items[#items + 1] = item end
  end
  return items
end

local function measure(ctx, model, items, steps)
  local distribution = require "bittern.inspect.distribution"
  local total, done, list = 0, 0, {}
  for _, item in ipairs(items) do total = total + item.count end
  local progress = ctx.report.progress { label = "stats", total = total, unit = "values" }
  for i, item in ipairs(items) do
    local d, message, code = distribution.of(model, item, steps, function(count)
      done = done + count
      progress:update(done)
    end)
    if not d then
      progress:finish()
      return nil, message, code
    end
    list[i] = d
  end
  progress:finish()
  return list
end

local function show(ctx, list, names, skipped)
  local report = ctx.report
  if #names == 0 then show_table(report, list) end
  for i, d in ipairs(#names > 0 and list or {}) do
    if i > 1 then report.out("") end
    show_one(report, d)
  end
  for _, d in ipairs(list) do warn(report, d) end
  if skipped > 0 then
    report.say(("%d tensors hold no numbers that are decoded"):format(skipped))
  end
end

return {
  api = 1,
  about = "how the numbers of a model's tensors are spread",
  group = "model",
  args = function(parser)
    parser:argument("path", "a model directory, an archive, a GGUF or safetensors file")
    parser:option("--tensor", "only this one, in more detail; may be repeated"):argname "TENSOR"
      :count "*"
  end,
  run = function(ctx)
    local content = require "bittern.inspect.content"
    local names = ctx.args.tensor or {}
    local model <close>, message, code = require("bittern.model").open(ctx.args.path)
    if not model then return nil, message, code end
    local held, why, id = content.of(model)
    if not held then return nil, why, id end
    local items, reason, kind = choose(content, held, model, names)
    if not items then return nil, reason, kind end
    local list, fault, cause = measure(ctx, model, items, #names > 0 and TALL_STEPS or STEPS)
    if not list then return nil, fault, cause end
    local skipped = #names == 0 and #held.items - #items or 0
    if ctx.json then
      ctx.report.data { path = model.path, tensors = require("bittern.json").array(list),
        skipped = skipped }
    else
      show(ctx, list, names, skipped)
    end
    return true
  end,
}
