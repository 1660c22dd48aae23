-- bittern cancel CLAIM or SLUG: gives a claim back, or everything unfinished of a task.
local canonical = require "bittern.canonical"
local claims = require "bittern.claim"
local contest = require "bittern.contest"
local ledgers = require "bittern.ledger"
local preview = require "bittern.preview"
local runs = require "bittern.runs"
local session = require "bittern.session"
local tasks = require "bittern.task"

-- The claims that the word names, and the task they belong to.
local function claims_of(open, word)
  local task = open.task
  if task then
    local free, message, code = claims.free(open, task.id)
    return free, message, code
  end
  local list, message, code = open.client:claims {}
  if not list then return nil, "list claims: " .. message, code end
  for _, claim in ipairs(list) do
    if claim.id == word then return { claim } end
  end
  return nil, ("no task and no claim is named '%s'"):format(word), "not_found"
end

local function check_owner(open, claim)
  if claim.miner_hotkey == nil or claim.miner_hotkey == open.hotkey then return true end
  return nil, ("claim %s belongs to hotkey %s"):format(claim.id, tostring(claim.miner_hotkey)),
    "forbidden"
end

local function cancel_one(open, claim)
  local ours, message, code = check_owner(open, claim)
  if not ours then return nil, message, code end
  if claim.status ~= "active" then
    claim, message, code = claims.noted(open, claim, "cancel")
    return claim, claim and "was so before" or message, code
  end
  return claims.cancel(open, claim.id, claim.task_id)
end

local function cancel_all(ctx, open, list, done)
  for _, claim in ipairs(list) do
    local record, how, code = cancel_one(open, claim)
    if not record then return nil, how, code end
    done[#done + 1] = { id = claim.id, status = record.status, how = how }
    ctx.report.say(("claim %s: %s, %s"):format(claim.id, tostring(record.status), how))
  end
  return done
end

-- Ends the task's unfinished runs; what became of their claims is added to `done`.
local function abandon_runs(ctx, open, key, done)
  local list, message, code = open.ledger:open_runs(key)
  for _, run in ipairs(list or {}) do
    local ended, claim
    ended, claim, code = runs.abandon(open, run)
    if not ended then return nil, claim, code end
    if claim then
      done[#done + 1] = { id = claim.id, status = claim.status, how = "of an abandoned run" }
    end
    ctx.report.say(("run %d is abandoned"):format(run.id))
  end
  return list, message, code
end

local function preview_all(ctx, open, list)
  local requests = canonical.array {}
  for i, claim in ipairs(list) do
    local request, message, code = preview.request(open.client,
      { method = "POST", path = ("/api/v1/claims/%s/cancel"):format(claim.id) })
    if not request then return nil, message, code end
    requests[i] = request
  end
  preview.show_all(ctx, requests)
  return true
end

local function show(ctx, done)
  if ctx.json then return ctx.report.data { claims = done } end
  for _, claim in ipairs(done) do ctx.report.out(claim.id) end
  if #done == 0 then ctx.report.say("no claim of this hotkey to give back") end
end

local function cancel(ctx, open, key)
  local list, message, code = claims_of(open, ctx.args.what)
  if not list then return nil, message, code end
  if ctx.args.dry_run then return preview_all(ctx, open, list) end
  local done = canonical.array {}
  if open.task then
    local ended
    ended, message, code = abandon_runs(ctx, open, key, done)
    if not ended then return nil, message, code end
    list, message, code = claims_of(open, ctx.args.what)
    if not list then return nil, message, code end
  end
  done, message, code = cancel_all(ctx, open, list, done)
  if not done then return nil, message, code end
  show(ctx, done)
  return true
end

-- The task that the word names, or the task of the claim that it names: nobody else works on it.
local function task_of(client, word)
  local list, message, code = client:tasks()
  if not list then return nil, message, code end
  return tasks.find(list, word) or false
end

local function run(ctx)
  local client, message, code = session.client(ctx, { signed = true })
  if not client then return nil, message, code end
  local ledger <close>, why, id = ledgers.open()
  if not ledger then return nil, why, id end
  local open, wrong, kind = contest.context(ctx, client, ledger)
  if not open then return nil, wrong, kind end
  local task, trouble, name = task_of(client, ctx.args.what)
  if task == nil then return nil, trouble, name end
  open.task = task or nil
  local key = { slug = (task and task.slug or ctx.args.what):lower(), coordinator = client.base,
    hotkey = client.address }
  local lock <close>, holder, locked = ledger:lock(key)
  if not lock then return nil, holder, locked end
  local done, text, last = cancel(ctx, open, key)
  return done, text, last
end

return {
  api = 1,
  about = "give a claim back, or everything unfinished of a task",
  group = "compete",
  args = function(parser)
    parser:argument("what", "a claim's id, or a task's slug or id")
    parser:flag("--dry-run", "print the exact requests, send none")
    contest.arguments(parser)
  end,
  run = run,
}
