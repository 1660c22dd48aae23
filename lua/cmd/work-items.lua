-- bittern work-items SLUG: what the planner would like to see done; takes one on demand.
local contest = require "bittern.contest"
local decisions = require "bittern.decisions"
local listing = require "bittern.cli.listing"
local pool = require "bittern.pool"
local preview = require "bittern.preview"
local session = require "bittern.session"

local function show(ctx)
  local client, task, code = session.task(ctx)
  if not client then return nil, task, code end
  local items, message, id = pool.list(client, task, ctx.args.status)
  if not items then return nil, message, id end
  local picked, wrong, usage = listing.pick(ctx, items)
  if not picked then return nil, wrong, usage end
  if ctx.json then ctx.report.data { slug = task.slug, work_items = picked } end
  if ctx.json or listing.ids(ctx, items, "id") then return true end
  local rows, clean = {}, ctx.report.clean
  for i, item in ipairs(items) do
    rows[i] = { clean(item.id), clean(item.status or "-"), ("%d"):format(item.priority or 0),
      clean(item.kind or "-"), clean(item.title or "-") }
  end
  local columns = { { "WORK ITEM" }, { "STATUS" }, { "PRIORITY", right = true },
    { "KIND", spare = true }, { "TITLE", cut = true } }
  for _, line in ipairs(#rows > 0 and ctx.report.table(columns, rows) or {}) do
    ctx.report.out(line)
  end
  if #rows == 0 then ctx.report.say("the planner has nothing for " .. clean(task.slug)) end
  return true
end

local function claim(ctx, open)
  local fine, why, id = contest.look_first(ctx, open)
  if not fine then return nil, why, id end
  local item, message, code = pool.choose(open, ctx.args.claim)
  if not item then return nil, message, code end
  ctx.report.say(ctx.report.clean(("%s: %s"):format(item.title or item.id,
    item.instructions or "no instructions")))
  if ctx.args.dry_run then
    local request
    request, message, code = preview.claim_work_item(open.client, item,
      { claim_description = ctx.args.description })
    if not request then return nil, message, code end
    return preview.show(ctx, request)
  end
  local taken, how, kind = pool.take(open, item, ctx.args.description)
  if not taken then return nil, how, kind end
  ctx.report.say(("claim %s: %s"):format(taken.id, how))
  if ctx.json then ctx.report.data { work_item = item, claim = taken, how = how }
  else ctx.report.out(taken.id) end
  return true
end

return {
  api = 1,
  about = "what the planner would like to see done, and claims of it",
  group = "compete",
  args = function(parser)
    listing.arguments(parser, "ids")
    parser:argument("slug", "the task's slug or id")
    parser:option("--status", "open, claimed or completed ones only"):argname "STATUS"
    parser:mutex(
      parser:option("--claim", "claim this one; submit with the claim's id then"):argname "ID",
      parser:flag("--next", "claim the most wanted, or show the one that is yours already"))
    parser:option("--description", "what you mean to do (default: the item's title)")
      :argname "TEXT"
    parser:flag("--dry-run", "print the request, send nothing")
    decisions.arguments(parser)
    contest.arguments(parser)
  end,
  run = function(ctx)
    if not (ctx.args.claim or ctx.args.next) then return show(ctx) end
    return contest.with(ctx, function(open) return claim(ctx, open) end)
  end,
}
