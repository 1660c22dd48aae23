-- bittern peer-evaluate SLUG: replays a submission of another miner and tells what was measured.
local canonical = require "bittern.canonical"
local command = require "bittern.bench.command"
local contest = require "bittern.contest"
local errors = require "bittern.errors"
local listing = require "bittern.cli.listing"
local peers = require "bittern.peers"
local preview = require "bittern.preview"
local scoring = require "bittern.peers.scoring"
local session = require "bittern.session"

-- The one that is named and may be judged, else the first that waits.
local function choose(ctx, open, policy)
  local id = ctx.args.submission
  if not id then
    local waiting, message, code = peers.waiting(open, policy)
    if not waiting then return nil, message, code end
    if waiting[1] then return waiting[1] end
    return nil, open.task.slug .. ": no submission of others waits for this hotkey's verdict",
      "not_found"
  end
  local submission, message, code = open.client:submission(id)
  if not submission then return nil, message, code end
  local may, why, kind = peers.may_judge(open, policy, submission)
  if may == nil then return nil, why, kind end
  if may then return submission end
  return nil, ("submission %s: %s"):format(id, why), "stop"
end

local function show_waiting(ctx, open, policy)
  local waiting, message, code = peers.waiting(open, policy)
  if not waiting then return nil, message, code end
  local picked, wrong, usage = listing.pick(ctx, waiting)
  if not picked then return nil, wrong, usage end
  if ctx.json then ctx.report.data { slug = open.task.slug, waiting = picked } end
  if ctx.json or listing.ids(ctx, waiting, "id") then return true end
  local rows = {}
  for i, submission in ipairs(waiting) do
    rows[i] = { ctx.report.clean(submission.id), ctx.report.clean(submission.created_at or "-"),
      ctx.report.clean(submission.summary or "-") }
  end
  local columns = { { "SUBMISSION" }, { "SINCE" }, { "SUMMARY", cut = true } }
  for _, line in ipairs(#rows > 0 and ctx.report.table(columns, rows) or {}) do
    ctx.report.out(line)
  end
  if #rows == 0 then ctx.report.say("nothing waits for this hotkey's verdict") end
  return true
end

local function number(value)
  return type(value) == "number" and ("%.6g"):format(value) or "nothing"
end

local function tell(ctx, open, submission, measured)
  local name = open.task.metric_name
  ctx.report.say(ctx.report.clean(("%s: %s"):format(measured.status, measured.notes)))
  local claimed = (submission.claimed_metrics or {})[name]
  ctx.report.say(ctx.report.clean(("%s: measured %s; the miner claims %s, which is not used")
    :format(name, number(measured.observed_metrics[name]), number(claimed))))
end

-- The replay failed, perhaps by this machine's fault: that is no verdict on somebody's work.
local function no_verdict(ctx, submission, measured)
  if ctx.json then
    ctx.report.data { submission_id = submission.id, status = measured.status,
      notes = measured.notes, sent = false }
    return errors.exit "bench_error"
  end
  return nil, ("submission %s: %s; an error is no verdict, nothing was sent"):format(submission.id,
    ctx.report.clean(measured.notes)), "bench_error"
end

local function finish(ctx, open, submission, measured)
  if ctx.args.dry_run then
    local request, message, code = peers.preview(open, submission, measured)
    if not request then return nil, message, code end
    return preview.show(ctx, request)
  end
  local record, how, code = peers.send(open, submission, measured)
  if not record then return nil, how, code end
  ctx.report.say(("peer evaluation %s: %s"):format(record.id, how))
  if ctx.json then
    ctx.report.data { submission_id = submission.id, status = measured.status,
      observed_metrics = measured.observed_metrics, notes = measured.notes,
      claimed_metrics = submission.claimed_metrics or canonical.null, evaluation = record,
      how = how, sent = true }
  else
    ctx.report.out(record.id)
  end
  return true
end

-- How it is measured: the text and the budgets that it is held to, or the sandbox of its replay.
local function how_of(ctx, open)
  if ctx.args.text then
    local text, message, code = scoring.text(open.task, ctx.args.text)
    if not text then return nil, message, code end
    local parts, why, id = session.demands(ctx, open.client, open.task)
    if not parts then return nil, why, id end
    return { text = text, rules = parts.rules }
  end
  if ctx.args.sandbox == "none" then return {} end
  local ok, why, id = command.has_sandbox(ctx.args.sandbox)
  if not ok then return nil, why, id end
  return { sandbox = ctx.args.sandbox }
end

local function evaluate(ctx, open, policy, how)
  local submission, message, code = choose(ctx, open, policy)
  if not submission then return nil, message, code end
  ctx.report.step(how.text and "score" or "replay", ctx.report.clean(("submission %s of %s")
    :format(submission.id, tostring(submission.miner_hotkey))))
  if not (how.sandbox or how.text) then
    ctx.report.warn("a stranger's patch and artifact run with your rights (--sandbox none)")
  end
  local measured
  measured, message, code = peers.measure(open, submission, how)
  if not measured then return nil, message, code end
  tell(ctx, open, submission, measured)
  if measured.status == "error" then return no_verdict(ctx, submission, measured) end
  return finish(ctx, open, submission, measured)
end

local function run(ctx, open)
  local policy, message, code = peers.policy(open.task)
  if not policy then return nil, message, code end
  if ctx.args.list then return show_waiting(ctx, open, policy) end
  local how, why, id = how_of(ctx, open)
  if not how then return nil, why, id end
  return evaluate(ctx, open, policy, how)
end

return {
  api = 1,
  about = "replay or score another's submission and say what was measured",
  group = "compete",
  args = function(parser)
    parser:argument("slug", "the task's slug or id")
    parser:option("--submission", "the one to judge (default: the first that waits)")
      :argname "ID"
    parser:flag("--list", "show what waits for this hotkey's verdict, judge nothing")
    listing.arguments(parser, "with --list: ids")
    parser:option("--sandbox", "bwrap: its commands see their checkout alone and no network; none")
      :argname "NAME":choices { "bwrap", "none" }:default "bwrap"
    parser:option("--text", "score its artifact on this text instead; none of its code runs")
      :argname "FILE"
    parser:flag("--dry-run", "replay it, print the request, send nothing")
    contest.arguments(parser)
  end,
  run = function(ctx)
    return contest.with(ctx, function(open) return run(ctx, open) end)
  end,
}
