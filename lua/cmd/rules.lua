-- bittern rules SLUG: every rule of a task, who says so, and how it stands.
local contradictions = require "bittern.rules.contradictions"
local gate = require "bittern.gate"
local json = require "bittern.json"
local outline = require "bittern.outline"
local session = require "bittern.session"

-- Rule id -> how it stands: judged now where no submission is needed, else open until there is one.
local function states_of(ctx, parts)
  local states = {}
  for _, rule in ipairs(parts.rules) do
    states[rule.id] = rule.kind == "optional" and "optional" or "open"
  end
  local judged = gate.early(parts.rules, parts.task, { decided = contradictions.decided(ctx.args) })
  for _, result in ipairs(judged.results) do states[result.id] = result.ok and "PASS" or "STOP" end
  return states, gate.failures(judged)
end

local function data_of(rule, state)
  return {
    id = rule.id, about = rule.about, source = rule.source, state = state, value = rule.value,
    optional = rule.kind == "optional", also = json.array(rule.also),
    conflicts = json.array(rule.conflicts),
  }
end

local function show_rule(report, rule, width, state)
  local function more(text)
    for _, line in ipairs(outline.wrap(report.clean(text), 80, "    ")) do report.out(line) end
  end
  report.out(("%s  %-8s  %s"):format(rule.id .. (" "):rep(width - #rule.id), state,
    report.clean(rule.source)))
  more(rule.about)
  if #rule.also > 0 then more("also: " .. table.concat(rule.also, ", ")) end
  if #rule.conflicts > 0 then more("conflict: " .. table.concat(rule.conflicts, "; ")) end
end

local function show(ctx, parts, states)
  local width, conflicts = 0, 0
  for _, rule in ipairs(parts.rules) do
    width = math.max(width, #rule.id)
    if #rule.conflicts > 0 then conflicts = conflicts + 1 end
  end
  for _, rule in ipairs(parts.rules) do
    show_rule(ctx.report, rule, width, states[rule.id])
  end
  ctx.report.say(("%d rules, %d with a conflict"):format(#parts.rules, conflicts))
end

return {
  api = 1,
  about = "every rule a submission must keep, with its source",
  group = "discover",
  args = function(parser)
    parser:argument("slug", "the task's slug or id")
    contradictions.arguments(parser)
  end,
  run = function(ctx)
    local client, task, code = session.task(ctx)
    if not client then return nil, task, code end
    local parts, problem, kind = session.demands(ctx, client, task)
    if not parts then return nil, problem, kind end
    local states, stops = states_of(ctx, parts)
    if ctx.json then
      local list = json.array {}
      for i, rule in ipairs(parts.rules) do list[i] = data_of(rule, states[rule.id]) end
      ctx.report.data { slug = task.slug, rules = list }
    else
      show(ctx, parts, states)
    end
    for _, stop in ipairs(stops) do
      ctx.report.warn(ctx.report.clean(("STOP %s: %s"):format(stop.id, stop.reason)))
    end
    return true
  end,
}
