-- bittern claim SLUG: takes a claim, or finds the one that is already ours.
local claims = require "bittern.claim"
local contest = require "bittern.contest"
local decisions = require "bittern.decisions"
local preview = require "bittern.preview"

local function claim(ctx, open)
  local args = ctx.args
  local fine, why, id = contest.look_first(ctx, open)
  if not fine then return nil, why, id end
  if args.dry_run then
    local request, message, code = preview.claim(open.client, open.task, {
      claim_description = args.description, base_submission_id = args.base_submission,
    })
    if not request then return nil, message, code end
    return preview.show(ctx, request)
  end
  local taken, how, code = claims.take(open, {
    description = args.description, base_submission_id = args.base_submission,
  })
  if not taken then return nil, how, code end
  ctx.report.say(("claim %s: %s"):format(taken.id, how))
  if ctx.json then ctx.report.data { claim = taken, how = how } else ctx.report.out(taken.id) end
  return true
end

return {
  api = 1,
  about = "claim a task, or find the active claim that is already yours",
  group = "compete",
  args = function(parser)
    parser:argument("slug", "the task's slug or id")
    parser:option("--description", "what you mean to do"):argname("TEXT")
      :default "Bittern: one artifact-only submission"
    parser:option("--base-submission", "the submission that you build on"):argname "ID"
    parser:flag("--dry-run", "print the request, send nothing")
    decisions.arguments(parser)
    contest.arguments(parser)
  end,
  run = function(ctx)
    return contest.with(ctx, function(open) return claim(ctx, open) end)
  end,
}
