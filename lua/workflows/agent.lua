-- Workflow `agent`: a task is claimed, somebody's command works on it in a checkout, and what it
-- leaves behind is checked, submitted and followed. `bittern agent SLUG` runs it.
local fs = require "core.fs"

local brief = require "bittern.agent.brief"
local claims = require "bittern.claim"
local command = require "bittern.agent.command"
local common = require "bittern.rules.common"
local patches = require "bittern.patch.source"
local pool = require "bittern.pool"
local preview = require "bittern.preview"
local proposal = require "bittern.proposal"
local sidecar = require "bittern.sidecar"
local steps = require "bittern.steps"
local submit = require "bittern.submit"
local work = require "bittern.work"
local workspace = require "bittern.workspace"

local LEAST <const>, USUAL <const> = 60, 300

local until_sent <const> = steps.until_sent

local function places_of(ctx)
  return brief.places(ctx.folder, ctx.args.autonomous)
end

-- A task's time, a minute at least, unless the user says otherwise.
local function seconds(ctx, task)
  return ctx.args.agent_time
    or math.max(LEAST, math.tointeger(task.time_budget_seconds) or USUAL)
end

local function discover(ctx)
  local task, message, code = ctx.client:find(ctx.args.slug)
  if not task then return nil, message, code end
  local line
  line, message, code = command.line(ctx.args.command, places_of(ctx))
  if not line then return nil, message, code end
  return { task = task, line = line },
    ("%s: %s, %s"):format(task.slug, task.title or "no title", task.competition_mode)
end

-- The checkout is there before anything is claimed. One of an earlier try is kept, changes and all.
local function check_out(ctx, state)
  local task, folder = state.discover.task, places_of(ctx).repo_dir
  if not fs.stat(folder) then
    local made, message, code = workspace.clone {
      repository = task.repository, ref = task.base_ref, folder = folder,
      timeout = workspace.timeout(task), rehearsal = common.is_local(ctx.client.base),
    }
    if not made then return nil, message, code end
  end
  local found, message, code = workspace.inspect(folder, task)
  if not found then return nil, message, code end
  return { commit = found.commit }, ("%s at %s"):format(task.base_ref, found.commit)
end

-- The work item that is asked for, the same one when the run goes on; false when none is.
local function work_item(ctx, state, before)
  local wanted = ctx.args.work_item
  if not wanted then return false end
  if before and before.item then wanted = before.item.id end
  return pool.choose(steps.contest(ctx, state), wanted ~= "next" and wanted or nil)
end

local function take_claim(ctx, state, before)
  local item, message, code = work_item(ctx, state, before)
  if item == nil then return nil, message, code end
  local open = steps.contest(ctx, state)
  local claim, how
  if item then
    claim, how, code = pool.take(open, item, ctx.args.description)
  else
    claim, how, code = claims.take(open, { description = ctx.args.description,
      wanted = before and before.id })
  end
  if not claim then return nil, how, code end
  return { id = claim.id, claim = claim, item = item or nil }, ("%s, %s%s"):format(claim.id, how,
    item and (", for the work item " .. ctx.report.clean(item.title or item.id)) or "")
end

local function preview_claim(ctx, state)
  local item, message, code = work_item(ctx, state)
  if item == nil then return nil, message, code end
  local fields = { claim_description = ctx.args.description }
  local request
  if item then
    request, message, code = preview.claim_work_item(ctx.client, item, fields)
  else
    request, message, code = preview.claim(ctx.client, state.discover.task, fields)
  end
  if not request then return nil, message, code end
  ctx.requests[#ctx.requests + 1] = request
  return { id = "(from the claim)", claim = { id = "(from the claim)" }, item = item or nil }
end

-- A dry run ends where the command would begin.
local function preview_nothing()
  return {}
end

local function ideas(ctx, state)
  local mode = ctx.demands.mode
  if not mode.candidates then return {} end
  local list, message, code = steps.earlier(ctx, state)
  if list == nil then return nil, message, code end
  return mode.candidates(list or {}, ctx.hotkey)
end

-- The command line with which an autonomous agent submits.
local function helper(ctx, state)
  if not ctx.args.autonomous then return nil end
  local places = places_of(ctx)
  local words = { ctx.args.exe, "--coordinator", ctx.client.base, "submit",
    state.discover.task.slug, "--claim", state.claim.id, "--workspace", places.repo_dir,
    "--submission", places.submission_path, "--result", places.submission_result_path }
  table.move(ctx.args.hotkey_words, 1, #ctx.args.hotkey_words, #words + 1, words)
  for i, word in ipairs(words) do words[i] = command.quoted(word) end
  return table.concat(words, " ")
end

local function write_brief(ctx, state)
  local list, message, code = ideas(ctx, state)
  if not list then return nil, message, code end
  local text
  text, message, code = fs.read(ctx.folder .. "/onboard.md")
  if not text then return nil, message, code end
  local places = places_of(ctx)
  local ok
  ok, message, code = brief.write {
    places = places, task = state.discover.task, claim = state.claim.claim, ideas = list,
    work_item = state.claim.item, coordinator = ctx.client.base, onboarding = text,
    helper = helper(ctx, state),
    artifact_first = patches.allows_empty(ctx.demands),
  }
  if not ok then return nil, message, code end
  return {}, places.intro_path:match("[^/]+$")
end

-- A run whose agent failed is over: its claim is given back, its workspace stays.
local function abandon(ctx, state)
  claims.abandon(steps.contest(ctx, state), state.claim.id, state.discover.task.id)
  ctx.decided = "abandoned"
end

local function run_agent(ctx, state)
  local task, places = state.discover.task, places_of(ctx)
  -- What an earlier try left behind would be taken for this one's.
  fs.remove(places.submission_path)
  local function run()
    return command.run {
      line = state.discover.line, folder = ctx.folder, timeout = seconds(ctx, task),
      environment = command.environment(places, task, state.claim.id, ctx.client.base),
      clock = ctx.clock, say = ctx.report.say,
    }
  end
  local alone = not ctx.args.autonomous
  local ok, message, code
  if alone then ok, message, code = run() else ok, message, code = ctx.lock.without(run) end
  if ok then return {}, "done" end
  if code ~= "agent" then return nil, message, code end
  if not alone then return { failed = message }, message end
  abandon(ctx, state)
  return nil, message, code
end

local function agent_inputs(ctx, state)
  return { settings = ctx.settings, claim = state.claim.id, commit = state.checkout.commit }
end

-- What the agent left behind, as a body.
local function body_of(ctx, state)
  local task = state.discover.task
  local submission, message, code = sidecar.read(places_of(ctx).submission_path)
  if not submission then return nil, message, code end
  local built
  built, message, code = patches.read(
    { args = { workspace = places_of(ctx).repo_dir }, report = ctx.report }, task,
    { allow_empty = patches.allows_empty(ctx.demands) })
  if not built then return nil, message, code end
  local known
  known, message, code = steps.earlier(ctx, state)
  if known == nil then return nil, message, code end
  local fields = proposal.mode_fields(ctx.demands.mode, {
    idea = submission.proposed_idea, implements = submission.implemented_submission_id,
    submissions = known or {}, hotkey = ctx.hotkey,
  })
  for name, value in pairs(fields) do submission[name] = value end
  submission.patch = built.text
  return submit.body(submission, state.claim.id, built.commit)
end

local function pass_gate(ctx, state)
  if ctx.args.autonomous then return {}, "the agent's own" end
  local body, message, code = body_of(ctx, state)
  if not body then return nil, message, code end
  local open = steps.contest(ctx, state)
  local verdict
  verdict, message, code = submit.judge(open, body, ctx.demands.rules,
    { decided = ctx.decisions })
  if not verdict then return nil, message, code end
  if verdict.verdict ~= "PASS" then return nil, work.stop(ctx, verdict), "stop" end
  return { body = body }, "PASS"
end

-- What an autonomous agent sent, by the ledger and the coordinator, whatever it says itself.
local function adopt(ctx, state)
  local open = steps.contest(ctx, state)
  local row, message, code = ctx.ledger:submission(ctx.client.base, state.claim.id)
  if row == nil then return nil, message, code end
  local record = false
  if row then record, message, code = submit.settle(open, row) end
  if record ~= false then return record, message, code end
  abandon(ctx, state)
  return nil, (state.agent.failed or "the agent ended without a submission")
    .. "; its claim is given back", "agent"
end

local function submit_it(ctx, state)
  local record, how, code
  if ctx.args.autonomous then
    record, how, code = adopt(ctx, state)
  else
    record, how, code = submit.send(steps.contest(ctx, state), state.gate.body)
  end
  if not record then return nil, how, code end
  if how == "sent" then
    local kept, message, id = steps.keep_answer(ctx, record)
    if not kept then return nil, message, id end
  end
  return { id = record.id }, ("%s, %s"):format(record.id, how)
end

return {
  api = 1,
  about = "claim a task, let a command work on it, submit what it leaves behind",
  steps = {
    { name = "discover", always = true, run = until_sent(discover) },
    { name = "onboard", always = true, run = until_sent(steps.onboard) },
    { name = "rules", always = true, run = steps.rules },
    { name = "checkout", always = true, run = until_sent(check_out) },
    { name = "claim", always = true, run = until_sent(take_claim), preview = preview_claim },
    { name = "brief", always = true, run = until_sent(write_brief) },
    { name = "agent", inputs = agent_inputs, run = until_sent(run_agent),
      preview = preview_nothing },
    { name = "gate", always = true, run = until_sent(pass_gate), preview = preview_nothing },
    { name = "submit", always = true, run = submit_it, preview = preview_nothing },
    { name = "track", always = true, run = steps.follow, preview = preview_nothing },
  },
}
