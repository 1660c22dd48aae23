-- A command of one's own: what every live task measures.
--   bittern --root examples metrics
local session = require "bittern.session"

---@type bittern.Command
return {
  api = 1,
  about = "what every live task measures",
  group = "discover",
  run = function(ctx)
    local client, message, code = session.client(ctx)
    if not client then return nil, message, code end
    local tasks, why, id = client:tasks()
    if not tasks then return nil, why, id end
    local list = require("bittern.json").array {}
    for i, task in ipairs(tasks) do
      list[i] = { slug = task.slug, metric = task.metric_name, direction = task.metric_direction }
      if not ctx.json then
        ctx.report.out(ctx.report.clean(("%s %s"):format(task.slug, tostring(task.metric_name))))
      end
    end
    if ctx.json then ctx.report.data { tasks = list } end
    return true
  end,
}
