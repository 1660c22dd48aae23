-- bittern check SLUG: would this submission.json be accepted? Nothing is sent.
local sha256 = require "core.sha256"

local decisions = require "bittern.decisions"
local errors = require "bittern.errors"
local gate = require "bittern.gate"
local json = require "bittern.json"
local patches = require "bittern.patch.source"
local session = require "bittern.session"
local sidecar = require "bittern.sidecar"
local wallet = require "bittern.wallet"

-- The file as it would be sent where it can be, else as it is: the gate says what is wrong with it.
local function read_submission(path)
  local raw, message, code = sidecar.raw(path)
  if not raw then return nil, message, code end
  local submission = sidecar.normalize(raw) or raw
  for _, name in ipairs { "claim_id", "patch" } do submission[name] = raw[name] end
  return submission
end

local function parameters_of(path)
  local packed = require "bittern.artifact.packed"
  local model <close>, message, code = require("bittern.model").open(path)
  if not model then return nil, message, code end
  return packed.parameters(model)
end

-- What is true of the artifact's file.
local function measure(path)
  if not path then return nil end
  local digest, size, code = sha256.file(path)
  if not digest then return nil, size, code end
  local count, message, kind = parameters_of(path)
  if not count then return nil, message, kind end
  return { size = size, sha256 = digest, parameter_count = count }
end

-- Earlier submissions, for modes that give credit to ideas; nil when nobody may see them.
local function earlier(ctx, client, parts)
  if not (parts.mode and parts.mode.candidates) then return nil end
  local list, message, code = client:submissions { task_id = parts.task.id }
  if list then return list end
  local closed = code == "unauthorized" or code == "key_missing" or code == "not_found"
  if not closed then return nil, message, code end
  ctx.report.warn(message)
  return nil
end

local function look(ctx, client, parts)
  local artifact, message, code = measure(ctx.args.artifact)
  if code then return nil, message, code end
  local submissions, why, id = earlier(ctx, client, parts)
  if id then return nil, why, id end
  local decided, trouble, kind = decisions.of(ctx, { coordinator = client.base, task = parts.task,
    text = parts.text }, parts.rules)
  if not decided then return nil, trouble, kind end
  return { hotkey = client.address, artifact = artifact, submissions = submissions, draft = true,
    decided = decided }
end

-- The patch of the workspace or file that is named, in place of the file's own.
local function add_patch(ctx, submission, parts)
  if not (ctx.args.workspace or ctx.args.patch) then return true end
  local built, message, code = patches.read(ctx, parts.task,
    { allow_empty = patches.allows_empty(parts), unchecked = true })
  if not built then return nil, message, code end
  submission.patch, submission.base_ref = built.text, built.commit or submission.base_ref
  return true
end

local function as_json(task, judged)
  local results = json.array {}
  for i, result in ipairs(judged.results) do results[i] = result end
  return { slug = task.slug, verdict = judged.verdict, results = results }
end

local function tell(ctx, task, judged)
  if ctx.json then
    ctx.report.data(as_json(task, judged))
  else
    for _, line in ipairs(gate.lines(judged, ctx.report.clean, { all = true })) do
      ctx.report.out(line)
    end
  end
  if judged.verdict == "PASS" then return true end
  ctx.report.say("next: " .. errors.next("stop"))
  return errors.exit("stop")
end

return {
  api = 1,
  about = "judge a submission.json by all rules of a task; nothing is sent",
  group = "compete",
  args = function(parser)
    parser:argument("slug", "the task's slug or id")
    parser:option("--submission", "the submission.json to judge"):argname "FILE":count(1)
    parser:option("--artifact", "the artifact it speaks of, to measure it"):argname "FILE"
    patches.arguments(parser)
    decisions.arguments(parser)
    wallet.arguments(parser)
  end,
  run = function(ctx)
    local submission, message, code = read_submission(ctx.args.submission)
    if not submission then return nil, message, code end
    local client, task, id = session.task(ctx, { signed = "optional" })
    if not client then return nil, task, id end
    local parts, problem, what = session.demands(ctx, client, task)
    if not parts then return nil, problem, what end
    local added, wrong, kind = add_patch(ctx, submission, parts)
    if not added then return nil, wrong, kind end
    local world, trouble, name = look(ctx, client, parts)
    if not world then return nil, trouble, name end
    return tell(ctx, task, gate.judge(parts.rules, submission, task, world))
  end,
}
