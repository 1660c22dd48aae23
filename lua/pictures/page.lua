-- A report as one HTML file that needs nothing else: its style sheet is within it, it has no script
-- and asks no network.
local axis = require "bittern.chart.axis"
local charts = require "bittern.pictures.charts"
local h = require "bittern.page.html"
local parts = require "bittern.page.parts"
local report = require "bittern.report"
local version = require "bittern.version"

local M = {}

local function stamp(seconds)
  return parts.time(os.date("!%Y-%m-%dT%H:%M:%S", seconds // 1))
end

local function number(form, value)
  return value and form:format(value) or ""
end

local function note(...)
  return h.p { class = "muted", ... }
end

local function drawing(data, name)
  local canvas = charts.draw(data, name)
  return canvas and parts.chart(canvas) or false
end

-- What is worth knowing at once.
local function summary(data)
  local best
  for _, point in ipairs(data.frontier and data.frontier.points or {}) do
    if point.best then best = point end
  end
  local fates = { good = 0, bad = 0, wait = 0, idle = 0 }
  for _, one in ipairs(data.submissions) do
    fates[parts.tone(one.state)] = fates[parts.tone(one.state)] + 1
  end
  local function card(title, words, below)
    return h.li { title, h.b { words }, below and h.span { class = "muted", below } }
  end
  return parts.section("summary", "At a glance", h.ul { class = "cards",
    best and card("best perplexity", ("%.4f"):format(best.ppl), best.label),
    best and card("its size", axis.size(best.bytes),
      ("%.4f bits a parameter"):format(8 * best.bytes / best.parameters)),
    card("submissions", tostring(#data.submissions),
      ("%d accepted, %d rejected"):format(fates.good, fates.bad)),
    data.gate and card("the gate says", data.gate.verdict, data.gate.slug),
  })
end

local function frontier(data)
  if not data.frontier then
    return parts.section("frontier", "Size against perplexity",
      note("The ledger holds no score yet; ", h.code { "bittern eval" }, " and ",
        h.code { "bittern sweep" }, " note theirs."))
  end
  local rows = {}
  for i, p in ipairs(data.frontier.points) do
    local place = p.frontier and (p.best and "on it, the best" or "on it") or ""
    rows[i] = { p.label, place,
      axis.size(p.bytes), ("%.4f"):format(8 * p.bytes / p.parameters), ("%.4f"):format(p.nats),
      number("%.4f", p.error_nats), ("%.4f"):format(p.ppl) }
  end
  local left_out = data.frontier.others > 0 and note(
    ("%d score%s on other texts or in other ways left out."):format(data.frontier.others,
      data.frontier.others == 1 and "" or "s"))
  return parts.section("frontier", "Size against perplexity", drawing(data, "frontier"),
    parts.table({ { "Made by" }, { "Frontier" }, { "Size", right = true },
      { "Bits", right = true }, { "Nats", right = true }, { "± nats", right = true },
      { "Perplexity", right = true } }, rows, "what was scored"), left_out)
end

local function budget(data)
  local canvas = drawing(data, "budget")
  return canvas and parts.section("budget", "Budget use", canvas) or false
end

local function tensor_rows(data)
  local rows = {}
  for i, t in ipairs(data.tensors) do
    rows[i] = { t.name, t.codec, t.bytes and axis.size(t.bytes) or "", number("%.3f", t.bits),
      (t.rescued or 0) > 0 and ("%d"):format(t.rescued) or "",
      t.error and ("%.3f %%"):format(100 * t.error) or "",
      t.lost_nats and ("%+.5f"):format(t.lost_nats) or "" }
  end
  return rows
end

local function tensors(data)
  if not data.tensors then
    return parts.section("tensors", "What it is made of",
      note("The ledger holds no compression yet."))
  end
  local columns = { { "Tensor" }, { "Codec" }, { "Size", right = true }, { "Bits", right = true },
    { "Rescued", right = true }, { "Error", right = true }, { "Nats", right = true } }
  return parts.section("tensors", "What it is made of",
    h.p { h.b { data.made.base }, ", packed by ", h.b { data.made.label },
      (": %s for %s parameters."):format(axis.size(data.made.bytes),
        report.thousands(data.made.parameters)) },
    h.h3 { "Bytes of each layer" }, drawing(data, "bits"),
    h.h3 { "Error of each matrix" }, drawing(data, "error") or note("It was not measured."),
    h.h3 { "Cost of each matrix alone" }, drawing(data, "cost")
      or note("It was not measured; ", h.code {
        "bittern eval ARTIFACT --text FILE --by-layer MODEL" }, " does."),
    h.details { id = "all-tensors", h.summary { ("All %d tensors"):format(#data.tensors) },
      parts.table(columns, tensor_rows(data), "every tensor of the artifact") })
end

local function submissions(data)
  if #data.submissions == 0 then
    return parts.section("submissions", "Submissions", note("Nothing was submitted from here yet."))
  end
  local rows = {}
  for i, one in ipairs(data.submissions) do
    rows[#data.submissions + 1 - i] = { one.slug or "", parts.state(one.state),
      one.value and h.span { parts.number(one.value), " ", h.span { class = "muted", one.metric } }
        or "", one.bytes and axis.size(one.bytes) or "", stamp(one.at),
      one.id and parts.short(one.id, 8) or "", one.message or "" }
  end
  return parts.section("submissions", "Submissions", drawing(data, "history"),
    parts.table({ { "Task" }, { "State" }, { "Claimed", right = true }, { "Size", right = true },
      { "Sent, UTC" }, { "Submission" }, { "Said" } }, rows, "submissions, the newest first"))
end

local function verdict_of(result)
  if result.skipped then return "not judged" end
  return result.ok and "PASS" or "STOP"
end

local function gate(data)
  if not data.gate then
    return parts.section("gate", "The gate's rules", note("No run has come to the gate yet; ",
      h.code { "bittern rules SLUG" }, " shows a task's rules."))
  end
  local rows = {}
  for i, result in ipairs(data.gate.results) do
    local verdict = verdict_of(result)
    rows[i] = { h.span { class = "state " .. (result.skipped and "idle" or parts.tone(verdict)),
      verdict }, h.code { result.id }, h.span { result.about, result.reason
        and h.span { class = "muted", h.br {}, result.reason } }, result.source }
  end
  return parts.section("gate", "The gate's rules",
    h.p { ("%s, run %d of "):format(data.gate.verdict, data.gate.run), h.b { data.gate.slug },
      (": %d rules."):format(#data.gate.results) },
    parts.table({ { "" }, { "Rule" }, { "What it says" }, { "Who says so" } }, rows,
      "rules and how they stood"))
end

--- The report.
-- @param data of bittern.pictures.collect
-- @param now seconds since 1970
-- @return string
function M.report(data, now)
  return parts.page { title = "What was tried", style = parts.style(),
    lead = h.p { class = "lead", ("%d runs, %d compressions, "):format(#data.runs,
      #data.compressions), ("%d scores; as of "):format(data.frontier
      and #data.frontier.points or 0), stamp(now), " UTC" },
    body = { summary(data), frontier(data), budget(data), tensors(data), submissions(data),
      gate(data) },
    foot = h.p { "Written by bittern report, version ", version, "." } }
end

return M
