-- bittern best SLUG: the submission to beat.
local json = require "bittern.json"
local listing = require "bittern.cli.listing"
local outline = require "bittern.outline"
local session = require "bittern.session"

local order = {
  "submission_id", "id", "miner_hotkey", "hotkey", "status", "observed_metrics", "metric_value",
  "artifact_size_bytes", "artifact_sha256", "artifact_uri", "summary", "proposed_idea",
}

return {
  api = 1,
  about = "the best submission of a task",
  group = "discover",
  args = function(parser)
    parser:argument("slug", "the task's slug or id")
    listing.arguments(parser, "the submission's id")
  end,
  run = function(ctx)
    local client, task, code = session.task(ctx)
    if not client then return nil, task, code end
    local best, problem, kind = client:best(task)
    if not best then return nil, problem, kind end
    local is_empty = next(best) == nil
    local picked, wrong, usage = listing.pick(ctx, is_empty and {} or { best })
    if not picked then return nil, wrong, usage end
    if ctx.json then
      ctx.report.data { slug = task.slug, best = picked[1] or json.null }
    elseif listing.ids(ctx, { best }, best.submission_id and "submission_id" or "id") then
      return true
    elseif is_empty then
      ctx.report.say(("%s has no best yet"):format(ctx.report.clean(task.slug)))
    else
      for _, line in ipairs(outline.lines(best, order)) do ctx.report.out(line) end
    end
    return true
  end,
}
