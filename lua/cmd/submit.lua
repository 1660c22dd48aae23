-- bittern submit SLUG --submission FILE: sends a sidecar as a submission, once.
local fs = require "core.fs"

local canonical = require "bittern.canonical"
local claims = require "bittern.claim"
local contest = require "bittern.contest"
local decisions = require "bittern.decisions"
local patches = require "bittern.patch.source"
local preview = require "bittern.preview"
local sidecar = require "bittern.sidecar"
local submit = require "bittern.submit"
local work = require "bittern.work"

-- The claim that it belongs to: the one that is named, else our active one.
local function claim_of(open, wanted)
  local claim, message, code = claims.find(open, wanted)
  if claim then claim, message, code = claims.noted(open, claim) end
  if claim == nil then return nil, message, code end
  if claim and (not wanted or claim.id == wanted) then return claim.id end
  -- A claim whose submission was begun is no longer listed as free; the ledger knows it.
  local row = wanted and open.ledger:submission(open.client.base, wanted)
  if row then return wanted end
  local what = wanted and ("claim %s is not active"):format(wanted) or "there is no active claim"
  return nil, ("%s: %s of this hotkey; `bittern claim %s` takes one"):format(open.task.slug, what,
    open.task.slug), "not_found"
end

local function demands_of(open)
  local text, message, code = open.client:onboard(open.task)
  if not text and code ~= "not_found" then return nil, message, code end
  local demands, why, id = work.rules(open.task, text or "")
  if not demands then return nil, why, id end
  demands.text = text
  return demands
end

local function send(ctx, open, body)
  local record, how, code = submit.send(open, body)
  if not record then return nil, how, code end
  ctx.report.say(("submission %s: %s"):format(record.id, how))
  if ctx.args.result then
    local kept, message, id = fs.write(ctx.args.result, assert(canonical.encode(record)) .. "\n")
    if not kept then return nil, message, id end
  end
  if ctx.json then
    ctx.report.data { submission = record, how = how }
  else
    ctx.report.out(record.id)
  end
  return true
end

-- The sidecar with the patch and commit of the workspace, if one is named.
local function submission_of(ctx, open, demands)
  local submission, message, code = sidecar.read(ctx.args.submission)
  if not submission then return nil, message, code end
  local built
  built, message, code = patches.submitted(ctx, open.task, demands, open.client)
  if not built then return nil, message, code end
  submission.patch, submission.base_ref = built.text, built.base_ref
  return submission
end

local function run(ctx, open)
  local demands, message, code = demands_of(open)
  if not demands then return nil, message, code end
  local submission
  submission, message, code = submission_of(ctx, open, demands)
  if not submission then return nil, message, code end
  local claim_id
  claim_id, message, code = claim_of(open, ctx.args.claim)
  if not claim_id then return nil, message, code end
  local body = submit.body(submission, claim_id, submission.base_ref)
  local decided
  decided, message, code = decisions.of(ctx, { coordinator = open.client.base, task = open.task,
    text = demands.text, ledger = open.ledger }, demands.rules)
  if not decided then return nil, message, code end
  local verdict
  verdict, message, code = submit.judge(open, body, demands.rules,
    { draft = ctx.args.dry_run, decided = decided })
  if not verdict then return nil, message, code end
  if verdict.verdict ~= "PASS" then return nil, work.stop(ctx, verdict), "stop" end
  if not ctx.args.dry_run then return send(ctx, open, body) end
  local request
  request, message, code = preview.submission(open.client, body)
  if not request then return nil, message, code end
  return preview.show(ctx, request)
end

return {
  api = 1,
  about = "send a submission that passes the gate, exactly once",
  group = "compete",
  args = function(parser)
    parser:argument("slug", "the task's slug or id")
    parser:option("--submission", "the sidecar, submission.json"):argname("FILE"):count(1)
    parser:option("--claim", "the claim (default: your active one)"):argname "ID"
    patches.arguments(parser)
    decisions.arguments(parser)
    parser:option("--base-ref", "commit of the task's repository (default: its branch's)")
      :argname "COMMIT"
    parser:option("--result", "file that gets the coordinator's whole answer"):argname "FILE"
    parser:flag("--dry-run", "print the exact request, send nothing")
    contest.arguments(parser)
  end,
  run = function(ctx)
    return contest.with(ctx, function(open) return run(ctx, open) end)
  end,
}
