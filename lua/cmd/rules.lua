-- bittern rules SLUG: every rule of a task, and who says so.
local json = require "bittern.json"
local outline = require "bittern.outline"
local session = require "bittern.session"

local function data_of(rule)
  return {
    id = rule.id, about = rule.about, source = rule.source, value = rule.value,
    optional = rule.kind == "optional", also = json.array(rule.also),
    conflicts = json.array(rule.conflicts),
  }
end

local function show_rule(report, rule, width)
  local function more(text)
    for _, line in ipairs(outline.wrap(report.clean(text), 80, "    ")) do report.out(line) end
  end
  report.out(("%s  %s"):format(rule.id .. (" "):rep(width - #rule.id), report.clean(rule.source)))
  more(rule.about)
  if #rule.also > 0 then more("also: " .. table.concat(rule.also, ", ")) end
  if #rule.conflicts > 0 then more("conflict: " .. table.concat(rule.conflicts, "; ")) end
end

local function show(ctx, parts)
  local width, conflicts = 0, 0
  for _, rule in ipairs(parts.rules) do
    width = math.max(width, #rule.id)
    if #rule.conflicts > 0 then conflicts = conflicts + 1 end
  end
  for _, rule in ipairs(parts.rules) do show_rule(ctx.report, rule, width) end
  ctx.report.say(("%d rules, %d with a conflict"):format(#parts.rules, conflicts))
end

return {
  api = 1,
  about = "every rule a submission must keep, with its source",
  group = "discover",
  args = function(parser)
    parser:argument("slug", "the task's slug or id")
  end,
  run = function(ctx)
    local client, task, code = session.task(ctx)
    if not client then return nil, task, code end
    local parts, problem, kind = session.demands(ctx, client, task)
    if not parts then return nil, problem, kind end
    if ctx.json then
      local list = json.array {}
      for i, rule in ipairs(parts.rules) do list[i] = data_of(rule) end
      ctx.report.data { slug = task.slug, rules = list }
    else
      show(ctx, parts)
    end
    if not parts.mode then
      ctx.report.warn(("the mode '%s' is not known here; its tasks are not mined")
        :format(ctx.report.clean(task.competition_mode)))
    end
    return true
  end,
}
