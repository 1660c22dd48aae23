-- bittern rules SLUG: every rule of a task, who says so, and how it stands.
local decisions = require "bittern.decisions"
local gate = require "bittern.gate"
local json = require "bittern.json"
local session = require "bittern.session"
local wrap = require "bittern.report.wrap"

-- Rule id -> how it stands: judged now where no submission is needed, else open until there is one.
local function states_of(parts, decided)
  local states = {}
  for _, rule in ipairs(parts.rules) do
    states[rule.id] = rule.kind == "optional" and "optional" or "open"
  end
  local judged = gate.early(parts.rules, parts.task, { decided = decided })
  for _, result in ipairs(judged.results) do states[result.id] = result.ok and "PASS" or "STOP" end
  for _, rule in ipairs(parts.rules) do
    if rule.contradiction and decided[rule.value] then states[rule.id] = "decided" end
  end
  return states, gate.failures(judged)
end

local function decision_of(rule, decided)
  return rule.contradiction and decided[rule.value] or nil
end

local function data_of(rule, state, decision)
  return {
    id = rule.id, about = rule.about, source = rule.source, state = state, value = rule.value,
    optional = rule.kind == "optional", also = json.array(rule.also),
    conflicts = json.array(rule.conflicts),
    decision = decision and { contradiction = decision.contradiction, why = decision.why,
      decided = decision.decided // 1 | 0 },
  }
end

local function show_rule(ctx, rule, width, state, decision)
  local report = ctx.report
  local function more(text)
    for _, line in ipairs(wrap(report.clean(text), 80, "    ")) do report.out(line) end
  end
  report.out(("%s  %-8s  %s"):format(rule.id .. (" "):rep(width - #rule.id), state,
    report.clean(rule.source)))
  more(rule.about)
  if #rule.also > 0 then more("also: " .. table.concat(rule.also, ", ")) end
  if #rule.conflicts > 0 then more("conflict: " .. table.concat(rule.conflicts, "; ")) end
  if decision then
    more(("decided %s ago, by the record%s: %s"):format(
      report.age(math.max(0, ctx.now() - decision.decided)),
      decision.why and " (" .. decision.why .. ")" or "", decision.contradiction))
  end
end

local function show(ctx, parts, states, decided)
  local width, conflicts = 0, 0
  for _, rule in ipairs(parts.rules) do
    width = math.max(width, #rule.id)
    if #rule.conflicts > 0 then conflicts = conflicts + 1 end
  end
  for _, rule in ipairs(parts.rules) do
    show_rule(ctx, rule, width, states[rule.id], decision_of(rule, decided))
  end
  ctx.report.say(("%d rules, %d with a conflict"):format(#parts.rules, conflicts))
end

local function decisions_of(ctx, client, parts)
  if ctx.args.forget then
    local ok, message, code = decisions.forget(client.base, parts.task)
    if not ok then return nil, message, code end
  end
  local where = { coordinator = client.base, task = parts.task, text = parts.text }
  return decisions.of(ctx, where, parts.rules)
end

return {
  api = 1,
  about = "every rule a submission must keep, with its source",
  group = "discover",
  args = function(parser)
    parser:argument("slug", "the task's slug or id")
    decisions.arguments(parser)
    parser:flag("--forget", "ask again where --decide decided before")
  end,
  run = function(ctx)
    local client, task, code = session.task(ctx)
    if not client then return nil, task, code end
    local parts, problem, kind = session.demands(ctx, client, task)
    if not parts then return nil, problem, kind end
    local decided, why, id = decisions_of(ctx, client, parts)
    if not decided then return nil, why, id end
    local states, stops = states_of(parts, decided)
    if ctx.json then
      local list = json.array {}
      for i, rule in ipairs(parts.rules) do
        list[i] = data_of(rule, states[rule.id], decision_of(rule, decided))
      end
      ctx.report.data { slug = task.slug, rules = list }
    else
      show(ctx, parts, states, decided)
    end
    for _, stop in ipairs(stops) do
      ctx.report.warn(ctx.report.clean(("STOP %s: %s"):format(stop.id, stop.reason)))
    end
    return true
  end,
}
