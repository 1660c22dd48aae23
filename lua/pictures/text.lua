-- A report in a terminal: the same parts as on paper, as plots, bars and tables.
local axis = require "bittern.chart.axis"
local charts = require "bittern.pictures.charts"
local drawn = require "bittern.chart.frontier"
local inspect = require "bittern.inspect.text"
local report = require "bittern.report"
local text = require "bittern.chart.text"

local M = {}

local PLOT_WIDTH <const>, PLOT_HEIGHT <const>, BAR <const>, LABEL <const> = 64, 12, 28, 26
local WIDTH <const> = 80
-- Rows of what may be long.
local MOST <const> = 20

local function heading(out, words)
  out[#out + 1] = ""
  out[#out + 1] = report.clean(words)
  out[#out + 1] = ""
end

local function append(out, lines)
  table.move(lines, 1, #lines, #out + 1, out)
end

local function add_frontier(out, data)
  if not data.frontier then return end
  heading(out, "Size against perplexity")
  append(out, drawn.plot(data.frontier, PLOT_WIDTH, PLOT_HEIGHT))
  out[#out + 1] = "  * nothing is smaller and better   . something is   | budget"
end

local function add_budget(out, data)
  local rows = {}
  for _, made in ipairs(data.compressions) do
    if (made.budget or 0) > 0 then
      rows[#rows + 1] = { inspect.cut(report.clean(made.label), LABEL), made.bytes / made.budget,
        ("%.2f %% of %s"):format(100 * made.bytes / made.budget, axis.size(made.budget)) }
    end
  end
  if #rows == 0 then return end
  heading(out, "Budget use")
  append(out, text.bars(rows, BAR))
end

local fields <const> = {
  { "bytes", "Bytes of each layer", axis.size },
  { "error", "Largest error of each layer", function(v) return ("%.3f %%"):format(100 * v) end },
  { "lost_nats", "Cost of each layer's matrices alone, nats a token",
    function(v) return ("%+.4f"):format(v) end },
}

local function add_layers(out, data)
  for _, field in ipairs(fields) do
    local rows = charts.by_layer(data, field[1]) or {}
    for _, row in ipairs(rows) do
      row[1], row[3] = inspect.cut(report.clean(row[1]), LABEL), field[3](row[2])
    end
    if #rows > 0 then
      heading(out, field[2])
      append(out, text.bars(rows, BAR))
    end
  end
end

local function add_submissions(out, data)
  if #data.submissions == 0 then return end
  local rows = {}
  for i = #data.submissions, math.max(1, #data.submissions - MOST + 1), -1 do
    local one = data.submissions[i]
    rows[#rows + 1] = { report.clean(one.slug or ""), os.date("!%d %b %H:%M", one.at // 1),
      report.clean(one.state), one.value and ("%.6g"):format(one.value) or "",
      one.bytes and axis.size(one.bytes) or "" }
  end
  heading(out, "Submissions")
  inspect.fit(rows, { "TASK", "SENT, UTC", "STATE", "CLAIMED", "SIZE" }, WIDTH)
  append(out, report.table({ { "TASK" }, { "SENT, UTC" }, { "STATE" },
    { "CLAIMED", right = true }, { "SIZE", right = true } }, rows))
end

-- What stops first, then the count.
local function add_gate(out, data)
  if not data.gate then return end
  heading(out, ("The gate: %s, run %d of %s"):format(data.gate.verdict, data.gate.run,
    data.gate.slug))
  local passed, skipped = 0, 0
  for _, result in ipairs(data.gate.results) do
    if not result.ok then
      out[#out + 1] = report.clean(("STOP  %s: %s"):format(result.id, result.reason or ""))
    elseif result.skipped then
      skipped = skipped + 1
    else
      passed = passed + 1
    end
  end
  out[#out + 1] = ("%d rules pass, %d are not judged here"):format(passed, skipped)
end

--- The report as lines.
-- @param data of bittern.pictures.collect
-- @return array of strings; empty where the ledger knows nothing
function M.lines(data)
  local out = {}
  for _, add in ipairs { add_frontier, add_budget, add_layers, add_submissions, add_gate } do
    add(out, data)
  end
  if #out > 0 then table.remove(out, 1) end
  return out
end

return M
