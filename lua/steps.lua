-- Steps that workflows share, and what they are made of. A workflow of one's own may use them.
local fs = require "core.fs"
local sha256 = require "core.sha256"

local canonical = require "bittern.canonical"
local decisions = require "bittern.decisions"
local gate = require "bittern.gate"
local track = require "bittern.track"
local work = require "bittern.work"

local M = {}

--- What a step gave before stands once the submission may be out: the world it looked at is then
-- part of the submission.
-- @param run function of a step
-- @return function of a step
function M.until_sent(run)
  return function(ctx, state, before)
    if before and ctx.sent then return before, "as when it was submitted" end
    return run(ctx, state, before)
  end
end

--- What claims, submissions and their ledger rows need.
function M.contest(ctx, state)
  return {
    client = ctx.client, ledger = ctx.ledger, run = ctx.run, hotkey = ctx.hotkey,
    sleep = ctx.sleep, settle = ctx.settle, report = ctx.report, task = state.discover.task,
  }
end

--- Step: keeps the task's onboarding text in the run's folder.
function M.onboard(ctx, state)
  local text, message, code = ctx.client:onboard(state.discover.task)
  if not text and code ~= "not_found" then return nil, message, code end
  if not text then
    ctx.report.warn("the task has no onboarding text; going on without it")
    text = ""
  end
  local written, why, id = fs.write(ctx.folder .. "/onboard.md", text)
  if not written then return nil, why, id end
  return { sha256 = sha256.hex(text) }, ("%d lines"):format(select(2, text:gsub("\n", "")))
end

--- Step: merges every rule of the task into ctx.demands, the user's decisions into ctx.decisions,
-- and stops at what needs no submission.
function M.rules(ctx, state)
  local text, message, code = fs.read(ctx.folder .. "/onboard.md")
  if not text then return nil, message, code end
  ctx.demands, message, code = work.rules(state.discover.task, text)
  if not ctx.demands then return nil, message, code end
  local list = ctx.demands.rules
  for _, rule in ipairs(list) do
    for _, conflict in ipairs(rule.conflicts or {}) do
      ctx.report.warn(ctx.report.clean(("rule %s (%s): %s"):format(rule.id, rule.source, conflict)))
    end
  end
  ctx.decisions, message, code = decisions.of(ctx, { coordinator = ctx.client.base,
    task = state.discover.task, text = text, ledger = ctx.ledger }, list)
  if not ctx.decisions then return nil, message, code end
  local early = gate.early(list, state.discover.task, { decided = ctx.decisions })
  if early.verdict ~= "PASS" and not ctx.sent then return nil, work.stop(ctx, early), "stop" end
  return { count = #list }, work.sources(list)
end

--- Earlier submissions of the task.
-- @return array; false when the coordinator keeps its list closed; nil, message, code
function M.earlier(ctx, state)
  local list, message, code = ctx.client:submissions { task_id = state.discover.task.id }
  if list then return list end
  local closed = code == "unauthorized" or code == "forbidden" or code == "not_found"
  if not closed then return nil, message, code end
  ctx.report.warn(message)
  return false
end

--- Keeps the coordinator's whole answer, beside the sidecar.
-- @return true, or nil, message, code
function M.keep_answer(ctx, record)
  local text, message, code = canonical.encode(record)
  if not text then return nil, message, code end
  return fs.write(ctx.folder .. "/submission_result.json", text .. "\n")
end

--- Step: follows the submission, and decides the run with it.
function M.follow(ctx, state)
  local detail, message, code, last = track.follow(ctx, state.submit.id, ctx.args.timeout)
  local final = detail or last
  local status = final and final.submission.status
  if status then ctx.ledger:set_status(ctx.client.base, state.submit.id, status) end
  if not detail then
    if code == "rejected" then ctx.decided = "rejected" end
    return nil, message, code
  end
  ctx.decided = "accepted"
  return { status = status, observed_metrics = detail.submission.observed_metrics or {} },
    ("accepted: %s"):format(work.observed(detail.submission))
end

return M
