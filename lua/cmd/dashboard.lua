-- bittern dashboard: the coordinator at a glance, in the terminal or as a page.
local check = require "bittern.check"
local dashboard = require "bittern.pictures.dashboard"
local fs = require "core.fs"
local listing = require "bittern.cli.listing"
local session = require "bittern.session"

local function data_of(view, tasks)
  return { coordinator = view.coordinator, tasks = tasks, numbers = view.numbers,
    competitions = view.competitions, best = view.best, missing = view.missing,
    disclaimer = view.disclaimer }
end

local function show(ctx, view, tasks)
  if ctx.json then
    ctx.report.data(data_of(view, tasks))
  elseif ctx.args.out then
    ctx.report.out(ctx.args.out)
  elseif not listing.ids(ctx, view.tasks, "slug") then
    for _, line in ipairs(dashboard.lines(view, ctx.args.top)) do ctx.report.out(line) end
  end
  for _, words in ipairs(view.missing) do ctx.report.warn("not shown: " .. words) end
  if view.disclaimer then ctx.report.say(ctx.report.clean(view.disclaimer)) end
end

return {
  api = 1,
  about = "the coordinator at a glance: tasks, pipeline, leaders",
  group = "discover",
  args = function(parser)
    parser:option("--out", "write it as one HTML file that needs nothing else"):argname "FILE"
    parser:option("--top", "how many of each leaderboard to print"):argname "N":default "5"
      :convert(check.whole("--top", 1, 1000))
    parser:flag("--all", "paused and closed tasks, too")
    listing.arguments(parser, "slugs of the tasks")
  end,
  run = function(ctx)
    local client, message, code = session.client(ctx)
    if not client then return nil, message, code end
    local view, why, id = dashboard.gather(client, { all = ctx.args.all, offline = ctx.offline })
    if not view then return nil, why, id end
    local tasks, wrong, usage = listing.pick(ctx, view.tasks)
    if not tasks then return nil, wrong, usage end
    if ctx.args.out then
      local ok, reason, kind = fs.write(ctx.args.out, dashboard.page(view, ctx.now()))
      if not ok then return nil, reason, kind end
    end
    show(ctx, view, tasks)
    return true
  end,
}
