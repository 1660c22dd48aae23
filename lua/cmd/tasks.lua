-- bittern tasks: what can be mined now.
local check = require "bittern.check"
local script = require "bittern.script"
local listing = require "bittern.cli.listing"
local session = require "bittern.session"
local task_record = require "bittern.task"

local function chosen(tasks, args)
  local list = {}
  for _, task in ipairs(tasks) do
    local fits = args.mode == nil or task.competition_mode == args.mode
    if fits and (args.all or task_record.is_live(task)) then list[#list + 1] = task end
  end
  return list
end

local function hours(task)
  local seconds = tonumber(task.time_budget_seconds)
  return seconds and ("%.1f"):format(seconds / 3600) or "-"
end

local function rows_of(tasks, clean)
  local rows = {}
  for i, task in ipairs(tasks) do
    rows[i] = {
      clean(task.slug), clean(task.competition_mode),
      clean(("%s %s"):format(task.metric_name or "-", task.metric_direction)),
      clean(task_record.state(task)), hours(task),
    }
  end
  return rows
end

local function show(ctx, tasks)
  if listing.ids(ctx, tasks, "slug") then return end
  local columns = { { "SLUG" }, { "MODE" }, { "METRIC" }, { "STATE" }, { "HOURS", right = true } }
  local lines = ctx.report.table(columns, rows_of(tasks, ctx.report.clean))
  for _, line in ipairs(#tasks > 0 and lines or {}) do ctx.report.out(line) end
end

-- A task of a mode that is not known here is shown, and cannot be mined.
local function tell_unknown(ctx, tasks)
  local told = {}
  for _, task in ipairs(tasks) do
    local name = task.competition_mode
    if not told[name] and not script.find("mode", name) then
      told[name] = true
      ctx.report.say(ctx.report.clean(("the mode '%s' is not known here: such tasks are shown, not "
        .. "mined; a script modes/%s.lua teaches it"):format(name, name)))
    end
  end
end

local function tell_none(ctx, tasks)
  local modes = {}
  for i, task in ipairs(tasks) do modes[i] = task.competition_mode end
  local mode = ctx.args.mode
  local near = mode and check.nearest(mode, modes)
  if near and near ~= mode then
    ctx.report.say(ctx.report.clean(("no mode '%s'; did you mean '%s'?"):format(mode, near)))
  else
    ctx.report.say(("none fits; the coordinator lists %d: bittern tasks --all"):format(#tasks))
  end
end

return {
  api = 1,
  about = "the live tasks of the coordinator",
  group = "discover",
  args = function(parser)
    parser:flag("--all", "paused and closed tasks, too")
    parser:option("--mode", "tasks of this competition mode only"):argname "MODE"
    listing.arguments(parser, "slugs")
  end,
  run = function(ctx)
    local client, message, code = session.client(ctx)
    if not client then return nil, message, code end
    local tasks, why, id = client:tasks()
    if not tasks then return nil, why, id end
    local list = chosen(tasks, ctx.args)
    local picked, wrong, usage = listing.pick(ctx, list)
    if not picked then return nil, wrong, usage end
    if ctx.json then
      ctx.report.data { tasks = picked }
      return true
    end
    show(ctx, list)
    tell_unknown(ctx, list)
    if #list == 0 then tell_none(ctx, tasks) end
    return true
  end,
}
