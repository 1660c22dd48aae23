-- Workflow `mine`: from a live task to a decided submission. `bittern mine SLUG` runs it; the same
-- command again continues where it stopped. Copy it to ~/.config/bittern/workflows to change it.
local sha256 = require "core.sha256"

local claims = require "bittern.claim"
local gate = require "bittern.gate"
local pack = require "bittern.artifact.pack"
local patches = require "bittern.patch.source"
local preview = require "bittern.preview"
local proposal = require "bittern.proposal"
local publishing = require "bittern.publishing"
local sidecar = require "bittern.sidecar"
local steps = require "bittern.steps"
local submit = require "bittern.submit"
local work = require "bittern.work"

local until_sent <const> = steps.until_sent

local function discover(ctx)
  local task, message, code = ctx.client:find(ctx.args.slug)
  if not task then return nil, message, code end
  return { task = task },
    ("%s: %s, %s"):format(task.slug, task.title or "no title", task.competition_mode)
end

-- The patch is made again every time: what counts is the checkout as it is when it is submitted.
local function build_patch(ctx, state)
  local built, message, code = patches.submitted(ctx, state.discover.task, ctx.demands, ctx.client)
  if not built then return nil, message, code end
  local what = built.text == "" and "none, the artifact alone" or ("%s bytes"):format(
    ctx.report.thousands(#built.text))
  return built, ("%s, at %s"):format(what, built.base_ref)
end

local function claim_fields(ctx)
  return { claim_description = ctx.args.description or work.description(ctx.args) }
end

local function take_claim(ctx, state, before)
  local claim, how, code = claims.take(steps.contest(ctx, state), {
    description = claim_fields(ctx).claim_description, wanted = before and before.id,
  })
  if not claim then return nil, how, code end
  return { id = claim.id }, ("%s, %s"):format(claim.id, how)
end

local function preview_claim(ctx, state)
  local request, message, code = preview.claim(ctx.client, state.discover.task, claim_fields(ctx))
  if not request then return nil, message, code end
  ctx.requests[#ctx.requests + 1] = request
  return { id = "(from the claim)" }
end

local function compress(ctx)
  local done, message, code = work.compress(ctx)
  if not done then return nil, message, code end
  return done, ("%s: %s of %s bytes, %s parameters"):format(done.recipe,
    ctx.report.thousands(done.bytes), ctx.report.thousands(done.budget),
    ctx.report.thousands(done.parameters))
end

local function evaluate(ctx, state)
  local dense, message, code = work.score(ctx, ctx.args.model, "dense model")
  if not dense then return nil, message, code end
  local packed
  packed, message, code = work.score(ctx, state.compress.out, "packed model")
  if not packed then return nil, message, code end
  return { dense = dense, packed = packed }, ("perplexity %.4f, dense %.4f, on %s tokens"):format(
    packed.heldout_ppl, dense.heldout_ppl, ctx.report.thousands(packed.token_count))
end

local function pack_artifact(ctx, state)
  local path = ctx.folder .. "/artifact.zip"
  local packed, message, code = pack.run { dir = state.compress.out, out = path }
  if not packed then return nil, message, code end
  return { path = path, files = { { path = path, size = packed.size, sha256 = packed.sha256 } } },
    ctx.report.thousands(packed.size) .. " bytes in artifact.zip"
end

local function hash(ctx, state)
  local digest, size, code = sha256.file(state.pack.path)
  if not digest then return nil, size, code end
  local bits = 8 * size / state.eval.packed.parameter_count
  local noted, message, id = work.note(ctx, state,
    { path = state.pack.path, size = size, sha256 = digest })
  if not noted then return nil, message, id end
  return { path = state.pack.path, size = size, sha256 = digest, bits = bits },
    ("%s bytes, %.4f bits a parameter, sha256 %s"):format(ctx.report.thousands(size), bits, digest)
end

local function publish(ctx, state)
  local artifact = state.hash
  local url, message, code = publishing.publish(ctx.publisher, ctx.args.publish, artifact)
  if not url then return nil, message, code end
  local added
  added, message, code = ctx.ledger:add_artifact {
    run = ctx.run.id, url = url,
    path = artifact.path, size = artifact.size, sha256 = artifact.sha256,
  }
  if not added then return nil, message, code end
  return { url = url }, url .. " gives the same bytes"
end

local function preview_publish(_, state)
  return { url = ("https://published.invalid/%s.zip"):format(state.hash.sha256) }
end

local function judge(ctx, state, draft)
  local known, message, code = steps.earlier(ctx, state)
  if known == nil then return nil, message, code end
  known = known or nil
  local submission = proposal.submission(ctx, state, known)
  local twin = proposal.twin(ctx, known, state.hash.sha256)
  if twin then
    return nil, ("this artifact was submitted before, as %s (%s); a duplicate earns nothing")
      :format(twin.id, tostring(twin.status)), "stop"
  end
  submission.patch = state.patch.text
  local body = submit.body(submission, state.claim.id, state.patch.base_ref)
  local verdict = gate.judge(ctx.demands.rules, body, state.discover.task, {
    hotkey = ctx.hotkey, submissions = known, draft = draft, url_check = { ok = true },
    decided = ctx.decisions,
    artifact = {
      size = state.hash.size, sha256 = state.hash.sha256,
      parameter_count = state.eval.packed.parameter_count,
    },
  })
  return body, verdict
end

local function pass_gate(ctx, state)
  local body, verdict, code = judge(ctx, state)
  if not body then return nil, verdict, code end
  if verdict.verdict ~= "PASS" then return nil, work.stop(ctx, verdict), "stop" end
  local lines = gate.lines(verdict, ctx.report.clean)
  return { body = body, verdict = verdict.verdict, results = verdict.results }, lines[#lines]
end

local function preview_gate(ctx, state)
  local body, verdict, code = judge(ctx, state, true)
  if not body then return nil, verdict, code end
  if verdict.verdict ~= "PASS" then work.stop(ctx, verdict) end
  return { body = body, verdict = verdict.verdict },
    verdict.verdict .. " for what can be told without publishing"
end

-- Between the first look and now a task may have closed, a claim gone, bytes changed.
local function look_again(ctx, state)
  local task, message, code = ctx.client:find(state.discover.task.id)
  if not task then return nil, message, code end
  local claim
  claim, message, code = claims.find(steps.contest(ctx, state), state.claim.id)
  if claim == nil then return nil, message, code end
  if not claim or claim.id ~= state.claim.id then
    return nil, ("claim %s is no longer active"):format(state.claim.id), "claim_gone"
  end
  local proven
  proven, message, code = publishing.prove(state.publish.url, state.hash)
  if proven then return true end
  -- What is at the URL now is not ours: the next run publishes again.
  ctx.ledger:spoil_step(ctx.run.id, "publish")
  return nil, message, code
end

-- A submission that an earlier run began: its record, or false when it never arrived.
local function settle(ctx, state)
  if not ctx.sent then return false end
  return submit.settle(steps.contest(ctx, state), ctx.sent)
end

local function send(ctx, state)
  local record, how, code = settle(ctx, state)
  if record ~= false then return record, how, code end
  local ok, message, id = look_again(ctx, state)
  if not ok then return nil, message, id end
  ok, message, id = sidecar.write(ctx.folder, proposal.sidecar(state.gate.body))
  if not ok then return nil, message, id end
  return submit.send(steps.contest(ctx, state), state.gate.body)
end

local function submit_it(ctx, state)
  local record, how, code = send(ctx, state)
  if not record then return nil, how, code end
  if how ~= "sent before" then
    local kept, message, id = steps.keep_answer(ctx, record)
    if not kept then return nil, message, id end
  end
  return { id = record.id }, ("%s, %s"):format(record.id, how)
end

local function preview_submit(ctx, state)
  local request, message, code = preview.submission(ctx.client, state.gate.body)
  if not request then return nil, message, code end
  ctx.requests[#ctx.requests + 1] = request
  return { id = "(from the submission)" }
end

local function preview_track()
  return {}
end

return {
  api = 1,
  about = "discover, claim, compress, publish, submit and follow one submission",
  steps = {
    { name = "discover", always = true, run = until_sent(discover) },
    { name = "onboard", always = true, run = until_sent(steps.onboard) },
    { name = "rules", always = true, run = steps.rules },
    { name = "patch", always = true, run = until_sent(build_patch) },
    { name = "claim", always = true, run = until_sent(take_claim), preview = preview_claim },
    { name = "compress", inputs = work.compress_inputs, run = until_sent(compress) },
    { name = "eval", inputs = work.eval_inputs, run = until_sent(evaluate) },
    { name = "pack", inputs = work.pack_inputs, run = until_sent(pack_artifact) },
    { name = "hash", always = true, run = until_sent(hash) },
    { name = "publish", inputs = work.publish_inputs, run = until_sent(publish),
      preview = preview_publish },
    { name = "gate", always = true, run = until_sent(pass_gate), preview = preview_gate },
    { name = "submit", always = true, run = submit_it, preview = preview_submit },
    { name = "track", always = true, run = steps.follow, preview = preview_track },
  },
}
