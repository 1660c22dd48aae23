-- bittern frontier: size against perplexity of what was scored, from the ledger, and the best of a
-- task.

local TABLE_WIDTH <const>, PLOT_WIDTH <const>, PLOT_HEIGHT <const> = 80, 64, 14

local function show_table(report, drawing)
  local rows, columns = {}, { { "" }, { "MADE BY" } }
  for i, p in ipairs(drawing.points) do
    local marks = (p.frontier and "*" or "") .. (p.best and " best" or "")
      .. (p.fits == false and " over" or "")
    rows[i] = { report.clean(p.label), marks, report.thousands(p.bytes),
      ("%.4f"):format(8 * p.bytes / p.parameters), ("%.4f"):format(p.nats),
      p.error_nats and ("%.4f"):format(p.error_nats) or "", ("%.4f"):format(p.ppl) }
  end
  for i, title in ipairs { "BYTES", "BITS", "NATS", "ERROR", "PERPLEXITY" } do
    columns[i + 2] = { title, right = true }
  end
  require("bittern.inspect.text").fit(rows, { "MADE BY", "", "BYTES", "BITS", "NATS", "ERROR",
    "PERPLEXITY" }, TABLE_WIDTH)
  for _, row in ipairs(rows) do row[1], row[2] = row[2], row[1] end
  for _, text in ipairs(report.table(columns, rows)) do report.out(text) end
end

local function show(report, drawing)
  show_table(report, drawing)
  local plot = require("bittern.chart.frontier").plot(drawing, PLOT_WIDTH, PLOT_HEIGHT)
  for _, text in ipairs(plot) do report.say(text) end
  report.say "  * nothing is smaller and better   . something is   | budget   K best known"
end

local function tell_json(report, drawing, points)
  local data = {}
  for name, value in pairs(drawing) do data[name] = value end
  data.points = points
  report.data(data)
end

local function known_of(text)
  local bytes, ppl = text:match("^(%d+):(%d+%.?%d*)$")
  bytes, ppl = math.tointeger(bytes), tonumber(ppl)
  if bytes and ppl and bytes > 0 and ppl > 0 then return { bytes = bytes, ppl = ppl } end
  return nil, ("--known must be BYTES:PERPLEXITY, such as 4500000000:12.5, not '%s'"):format(text)
end

local function text_hash(path)
  if not path then return nil end
  return require("core.sha256").file(path)
end

-- What a task says: the submission to beat, and the budget when none was given.
local function add_task(ctx, drawing, parameters)
  local leaders = require "bittern.task.leader"
  ctx.args.slug = ctx.args.task
  local leader, message, code = leaders.of(ctx)
  if not leader then return nil, message, code end
  local slug = ctx.report.clean(leader.slug)
  drawing.budget = drawing.budget or leaders.budget(leader.slug, parameters)
  if leader.bytes and leader.ppl then
    drawing.known = leader
  elseif leader.submission_id then
    ctx.report.warn(("%s: the best submission's record has no %s, so it is not drawn"):format(slug,
      leader.bytes and "perplexity" or "size"))
  else
    ctx.report.say(slug .. " has no best yet")
  end
  return true
end

-- The scores that compare, as bittern.chart.frontier draws them, and how many parameters they have.
local function scores_of(ctx)
  local text, why, id = text_hash(ctx.args.text)
  if ctx.args.text and not text then return nil, why, id end
  local ledger <close>, message, code = require("bittern.ledger").open()
  if not ledger then return nil, message, code end
  local rows, wrong, kind = ledger:scores()
  if not rows then return nil, wrong, kind end
  local points, others, first = require("bittern.eval.frontier").comparable(rows, text)
  if #points == 0 then
    return nil, "the ledger holds no score" .. (text and " on this text" or ""), "no_score"
  end
  return { points = points, others = others, known = ctx.args.known, settings = first.settings },
    first.parameters
end

local function drawing_of(ctx)
  local args = ctx.args
  local drawing, parameters, code = scores_of(ctx)
  if not drawing then return nil, parameters, code end
  if args.budget then
    local limit, message, id = require("bittern.compress.budget").bytes(parameters, args.budget)
    if not limit then return nil, message, id end
    drawing.budget = limit
  end
  if args.task then
    local ok, reason, problem = add_task(ctx, drawing, parameters)
    if not ok then return nil, reason, problem end
  end
  return drawing
end

return {
  api = 1,
  about = "size against perplexity of what was scored, as table and SVG",
  group = "self",
  args = function(parser)
    parser:option("--text", "scores on this text (default: that of the newest score)")
      :argname "FILE"
    parser:option("--budget", "binary, ternary or bits a parameter: a line, and what is over it")
      :argname "BITS"
    parser:option("--task", "the best submission of this task, and its budget"):argname "SLUG"
    parser:option("--known", "the best known submission"):argname "BYTES:PERPLEXITY"
      :convert(known_of)
    parser:option("--out", "draw it as SVG"):argname "FILE.svg"
    require("bittern.cli.listing").arguments(parser, "SHA-256 of what was scored")
  end,
  run = function(ctx)
    local args, report = ctx.args, ctx.report
    if args.task and args.known then
      return nil, "--task asks for what --known says; give one of them", "usage"
    end
    local drawing, message, code = drawing_of(ctx)
    if not drawing then return nil, message, code end
    local frontier = require "bittern.eval.frontier"
    frontier.mark(drawing.points)
    frontier.mark_best(drawing.points, drawing.budget)
    if args.out then
      local picture = require("bittern.chart.frontier").draw(drawing, true):document()
      local ok, why, id = require("core.fs").write(args.out, picture)
      if not ok then return nil, why, id end
    end
    local listing = require "bittern.cli.listing"
    local picked, wrong, usage = listing.pick(ctx, drawing.points)
    if not picked then return nil, wrong, usage end
    if listing.ids(ctx, drawing.points, "sha256") then return true end
    if ctx.json then tell_json(report, drawing, picked) else show(report, drawing) end
    if drawing.others > 0 then
      report.say(("%d score%s on other texts or in other ways left out"):format(drawing.others,
        drawing.others == 1 and "" or "s"))
    end
    return true
  end,
}
