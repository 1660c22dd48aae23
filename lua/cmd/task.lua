-- bittern task SLUG: everything the coordinator says about one task.
local outline = require "bittern.outline"
local session = require "bittern.session"
local task_record = require "bittern.task"

local order = {
  "slug", "title", "id", "task_state", "is_active", "competition_mode", "metric_name",
  "metric_direction", "ranking_mode", "time_budget_seconds", "repository", "base_ref",
  "setup_command", "benchmark_command", "result_path", "allowed_patch_paths", "max_patch_bytes",
}

return {
  api = 1,
  about = "everything the coordinator says about one task",
  group = "discover",
  args = function(parser)
    parser:argument("slug", "the task's slug or id")
    parser:flag("--all", "look among paused and closed tasks, too")
  end,
  run = function(ctx)
    local client, message, code = session.client(ctx)
    if not client then return nil, message, code end
    local tasks, why, id = client:tasks()
    if not tasks then return nil, why, id end
    local find = ctx.args.all and task_record.find or task_record.find_live
    local task, missing, kind = find(tasks, ctx.args.slug)
    if not task then return nil, missing, kind end
    if ctx.json then
      ctx.report.data(task)
      return true
    end
    for _, line in ipairs(outline.lines(task, order)) do ctx.report.out(line) end
    ctx.report.say(("rules: bittern rules %s"):format(ctx.report.clean(task.slug)))
    return true
  end,
}
