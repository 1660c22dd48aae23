-- bittern ideas SLUG: the ideas of other miners that a submission may build on, never one's own.
local check = require "bittern.check"
local common = require "bittern.rules.common"
local json = require "bittern.json"
local listing = require "bittern.cli.listing"
local outline = require "bittern.outline"
local script = require "bittern.script"
local session = require "bittern.session"
local wallet = require "bittern.wallet"

local order = { "id", "status", "miner_hotkey", "proposed_idea", "implemented_submission_id",
  "observed_metrics", "summary" }

local function mode_of(task)
  local mode, message, code = script.find("mode", task.competition_mode)
  if not mode and code ~= "not_found" then return nil, message, code end
  if mode and mode.candidates then return mode end
  return nil, ("task %s: its mode is %s, which knows no ideas"):format(task.slug,
    task.competition_mode), "other_mode"
end

-- What each submission's idea has earned its proposer, by the submission's id.
local function earned(client, task)
  local list, message, code = client:idea_rewards { task_id = task.id }
  if not list and code ~= "not_found" then return nil, message, code end
  local sums = {}
  for _, reward in ipairs(list or {}) do
    local id = reward.implemented_submission_id
    if id then sums[id] = (sums[id] or 0) + (reward.proposer_score or 0) end
  end
  return sums
end

local function metric(submission, task)
  local value = (submission.observed_metrics or {})[task.metric_name]
  return value and ("%.6g"):format(value) or "-"
end

local function row_of(submission, task, sums, clean)
  local idea = clean(submission.proposed_idea)
  local short = utf8.len(idea) and utf8.len(idea) > 48 and idea:sub(1, utf8.offset(idea, 48) - 1)
  return { clean(submission.id), clean(submission.status or "-"), metric(submission, task),
    ("%g"):format(sums[submission.id] or 0), short and short .. "..." or idea }
end

local function show(ctx, task, ideas, sums)
  local clean = ctx.report.clean
  if ctx.args.full then
    for i, submission in ipairs(ideas) do
      local record = {}
      for _, name in ipairs(order) do record[name] = submission[name] end
      if i > 1 then ctx.report.out "" end
      for _, line in ipairs(outline.lines(record, order)) do ctx.report.out(line) end
    end
    return
  end
  local rows = {}
  for i, submission in ipairs(ideas) do rows[i] = row_of(submission, task, sums, clean) end
  local columns = { { "SUBMISSION" }, { "STATUS" }, { clean(task.metric_name or "METRIC"),
    right = true }, { "EARNED", right = true, spare = true }, { "IDEA", cut = true } }
  for _, line in ipairs(#rows > 0 and ctx.report.table(columns, rows) or {}) do
    ctx.report.out(line)
  end
end

local function tell(ctx, client, task, ideas)
  if not client.address then
    ctx.report.warn("no hotkey is named, so your own ideas are among them; they do not count")
  end
  if #ideas == 0 then
    ctx.report.say(("%s: no idea of another miner yet; leave implemented_submission_id out")
      :format(ctx.report.clean(task.slug)))
  elseif not ctx.args.full then
    ctx.report.say("a submission names one of them in implemented_submission_id;")
    ctx.report.say("`mine` takes the first unless --implements ID says otherwise")
  end
end

return {
  api = 1,
  about = "ideas of other miners that a submission may build on",
  group = "discover",
  args = function(parser)
    parser:argument("slug", "the task's slug or id")
    listing.arguments(parser, "ids of submissions")
    parser:flag("--full", "each idea in all its words")
    parser:option("--limit", "so many at most"):argname "N":convert(check.whole("--limit", 1, 1e6))
    wallet.arguments(parser)
  end,
  run = function(ctx)
    local client, task, code = session.task(ctx, { signed = "optional" })
    if not client then return nil, task, code end
    local mode, message, id = mode_of(task)
    if not mode then return nil, message, id end
    local list, why, kind = client:submissions { task_id = task.id }
    if not list then return nil, why, kind end
    local ideas = json.array {}
    for i, submission in ipairs(mode.candidates(list, client.address)) do
      if i <= (ctx.args.limit or i) and common.has_text(submission, "proposed_idea") then
        ideas[#ideas + 1] = submission
      end
    end
    local sums, trouble, name = earned(client, task)
    if not sums then return nil, trouble, name end
    local picked, wrong, usage = listing.pick(ctx, ideas)
    if not picked then return nil, wrong, usage end
    if ctx.json then
      ctx.report.data { slug = task.slug, ideas = picked, hotkey = client.address or json.null }
    end
    if ctx.json or listing.ids(ctx, ideas, "id") then return true end
    show(ctx, task, ideas, sums)
    tell(ctx, client, task, ideas)
    return true
  end,
}
