-- bittern NAME: say here what it does.
local session = require "bittern.session"

---@type bittern.Command
return {
  api = 1,
  about = "say in a line what it does",
  group = "self",
  -- The options; lua-argparse's parser.
  args = function(parser)
    parser:argument("slug", "the task's slug or id")
  end,
  -- ctx has args, report, json, offline, env. Data for programs goes to ctx.report.out and
  -- ctx.report.data, words for people to ctx.report.say. Gives true, or nil, message, error id.
  run = function(ctx)
    local client, task, code = session.task(ctx)
    if not client then return nil, task, code end
    if ctx.json then ctx.report.data { slug = task.slug, title = task.title }
    else ctx.report.out(ctx.report.clean(task.title or task.slug)) end
    return true
  end,
}
