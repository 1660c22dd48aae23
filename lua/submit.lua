-- Sending a submission exactly once (bittern.once), and what it consists of.
local canonical = require "bittern.canonical"
local common = require "bittern.rules.common"
local gate = require "bittern.gate"
local once = require "bittern.once"
local publishing = require "bittern.publishing"
local workspace = require "bittern.workspace"

local M = {}

-- Seconds to ask a repository where its branch stands.
local ASKING <const> = 30

-- Fields of a sidecar that a submission sends, beside claim_id, base_ref and patch.
local optional = {
  "proposed_idea", "implemented_submission_id", "artifact_uri", "artifact_sha256",
  "artifact_size_bytes", "execution_log",
}

--- The body of POST /api/v1/submissions (contract.md 1.3.1): empty fields are left out.
-- @param submission a sidecar as bittern.sidecar gives it
-- @param claim_id string
-- @param base_ref 40 hexadecimal digits
-- @return table
function M.body(submission, claim_id, base_ref)
  local body = {
    claim_id = claim_id, base_ref = base_ref, patch = submission.patch or "",
    summary = submission.summary, claimed_metrics = submission.claimed_metrics,
  }
  for _, field in ipairs(optional) do
    if submission[field] ~= "" then body[field] = submission[field] end
  end
  return body
end

local is_commit = "^" .. ("%x"):rep(40) .. "$"

--- The commit that an artifact-only submission names: what the user says, else the task's own, else
-- where the task's branch stands.
-- @param task record
-- @param given 40 hexadecimal digits or nil
-- @param client of the coordinator, which says where one may ask; nil asks nobody
-- @return 40 hexadecimal digits, or nil, message, code
function M.base_ref(task, given, client)
  local ref = given or task.base_ref
  if type(ref) == "string" and ref:find(is_commit) then return ref end
  if given then
    return nil, ("base ref '%s' is not a commit of 40 hexadecimal digits"):format(given), "config"
  end
  local commit, why, code = nil, "nobody was asked where it stands", "config"
  if client and not client.offline then
    commit, why, code = workspace.remote_commit {
      repository = task.repository, ref = ref, timeout = ASKING,
      rehearsal = common.is_local(client.base),
    }
  end
  if commit then return commit end
  local hint = "or name its commit with --base-ref (git ls-remote %s %s)"
  return nil, ("task %s: base_ref '%s' is a branch: %s; " .. hint):format(
    task.slug, tostring(ref), why, tostring(task.repository), tostring(ref)), code
end

-- A submission in the coordinator's list that is this one. A record without its claim is known by
-- what it carries.
local function is_it(record, row, body)
  if record.miner_hotkey ~= nil and record.miner_hotkey ~= row.hotkey then return false end
  if record.claim_id ~= nil then return record.claim_id == row.subject end
  if body.artifact_sha256 then return record.artifact_sha256 == body.artifact_sha256 end
  return record.patch == body.patch and record.summary == body.summary
end

local function look(ctx)
  return function(row)
    local list, message, code = ctx.client:submissions { task_id = row.task_id }
    if not list then return nil, "list submissions: " .. message, code end
    local body = canonical.decode(row.body)
    for _, record in ipairs(list) do
      if record.id and is_it(record, row, body) then return record end
    end
    return false
  end
end

-- What tells two submissions for one claim apart, where both sides say it. The commit is none of
-- it: a branch moves between two tries of the same.
local telling <const> = {
  "artifact_sha256", "patch", "summary", "proposed_idea", "implemented_submission_id",
}

-- Whether what was sent before, or is listed, may be this body.
local function same_as(body)
  return function(contents)
    for _, field in ipairs(telling) do
      local a, b = contents[field], body[field]
      if type(a) == "string" and type(b) == "string" and a ~= b then return false end
    end
    return true
  end
end

--- Judges a submission as it would be sent: its artifact is fetched as validators fetch it.
-- @param ctx {client=, hotkey=, task=}
-- @param body as M.body
-- @param rules as bittern.rules gives them
-- @param options {draft = true: nothing will be sent, and a URL that gives nothing is one more
--   finding; decided = contradictions that the user decided}
-- @return verdict of bittern.gate, or nil, message, code
function M.judge(ctx, body, rules, options)
  local draft = options.draft
  local list, message, code = ctx.client:submissions { task_id = ctx.task.id }
  if not list then return nil, message, code end
  local checked = { ok = true }
  local artifact = { size = body.artifact_size_bytes, sha256 = body.artifact_sha256,
    parameter_count = body.claimed_metrics.parameter_count }
  if body.artifact_uri then
    checked.ok, checked.reason, code = publishing.prove(body.artifact_uri, artifact)
    if not checked.ok and not draft then return nil, checked.reason, code end
  end
  return gate.judge(rules, body, ctx.task, {
    hotkey = ctx.hotkey, submissions = list, artifact = artifact, url_check = checked,
    draft = draft and body.claim_id == nil, decided = options.decided,
  })
end

--- What is known of a submission that was begun; asks the coordinator when its answer was lost.
-- @param ctx as once.send
-- @param row of the ledger
-- @return as once.settle
function M.settle(ctx, row)
  return once.settle(ctx, row, look(ctx))
end

--- Sends a submission for a claim, unless it was sent before. A claim carries one: when that has
-- other contents, this one is refused as "claim_used".
-- @param ctx as once.send, with task=
-- @param body as M.body
-- @return submission record and how it is known, or nil, message, code
function M.send(ctx, body)
  local text, message, code = canonical.encode(body)
  if not text then return nil, "submission: " .. message, code end
  return once.send(ctx, {
    kind = "submission", subject = body.claim_id, task_id = ctx.task.id, body = text,
    send = function() return ctx.client:submit(body) end, look = look(ctx), same = same_as(body),
  })
end

return M
