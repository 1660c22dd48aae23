-- Routes that miners sign: claims, submissions and what became of them.
local canonical = require "bittern.canonical"
local script = require "bittern.script"

local answer = require "bittern.practice.answer"
local database = require "bittern.practice.database"
local memory = require "bittern.practice.memory"
local peers = require "bittern.practice.consensus"
local records = require "bittern.practice.records"
local task_store = require "bittern.practice.task_store"
local transaction = require "bittern.practice.transaction"

local claim_fields = {
  { name = "claim_description", type = "string", required = true, min = 1, max = 4000 },
  { name = "base_submission_id", type = "string" },
}

local submission_fields = {
  { name = "claim_id", type = "string", required = true, min = 1 },
  { name = "base_ref", type = "string", required = true, min = 1 },
  { name = "summary", type = "string", required = true, min = 1, max = 8000 },
  { name = "patch", type = "string" },
  { name = "claimed_metrics", type = "metrics" },
  { name = "proposed_idea", type = "string" },
  { name = "implemented_submission_id", type = "string" },
  { name = "artifact_uri", type = "string" },
  { name = "artifact_sha256", type = "string" },
  { name = "artifact_size_bytes", type = "integer" },
  { name = "execution_log", type = "string", max = 128000 },
}

local base_submission = "SELECT 1 AS x FROM submission WHERE id = ? AND task_id = ?"

-- Nil when the task takes claims and submissions, else the answer that refuses.
local function not_live(task)
  if not task then return answer.detail(404, "Task not found") end
  return task.task_state ~= "live" and answer.detail(409, "task is " .. task.task_state) or nil
end

local function claim_task(context, call)
  return transaction(context, function(db)
    local task, base = task_store.row(db, call.id), call.body.base_submission_id
    local refusal = not_live(task)
    if refusal then return refusal end
    if base and not database.row(db, base_submission, base, task.id) then
      return answer.detail(404, "Base submission not found")
    end
    local row = database.put(db, "claim", [[INSERT INTO claim
      (id, task_id, miner_hotkey, status, claim_description, base_submission_id, created_at)
      VALUES (?, ?, ?, 'active', ?, ?, ?) RETURNING *]],
      database.uuid(), task.id, call.hotkey, call.body.claim_description, base,
      database.stamp(context.now()))
    return answer.raw(201, row.record)
  end)
end

-- The claim of an id that the hotkey may use now, or nil and the answer that refuses.
local function own_claim(db, id, hotkey)
  local claim = database.row(db, "SELECT * FROM claim WHERE id = ?", id)
  if not claim then return nil, answer.detail(404, "Claim not found") end
  if claim.miner_hotkey ~= hotkey then
    return nil, answer.detail(403, "claim belongs to another hotkey")
  end
  if claim.status ~= "active" then
    return nil, answer.detail(409, "claim is not active: " .. claim.status)
  end
  return claim
end

-- Ends a claim, and with it what it held of the planner's work.
local function end_claim(db, claim, status, item_status)
  if claim.work_item_id then
    database.put(db, "work_item", [[UPDATE work_item SET status = ?1,
      claim_id = CASE ?1 WHEN 'open' THEN NULL ELSE claim_id END WHERE id = ?2 RETURNING *]],
      item_status, claim.work_item_id)
  end
  return database.put(db, "claim", "UPDATE claim SET status = ? WHERE id = ? RETURNING *", status,
    claim.id)
end

local function cancel_claim(context, call)
  return transaction(context, function(db)
    local claim, refusal = own_claim(db, call.id, call.hotkey)
    if not claim then return refusal end
    return answer.raw(200, end_claim(db, claim, "cancelled", "open").record)
  end)
end

-- What a rule may know of the world; the list is read when a rule asks for it.
local function world_of(context, task_id, hotkey)
  return setmetatable({ hotkey = hotkey, server = true }, {
    __index = function(_, key)
      return key == "submissions" and memory.submissions(context, task_id) or nil
    end,
  })
end

-- Nil when the mode's rules hold, else the first reason. What only the artifact's bytes could tell
-- is left to the validator.
local function broken_rule(submission, task, world)
  local mode, message = script.find("mode", task.competition_mode)
  if not mode then return message end
  for _, rule in ipairs(mode.rules) do
    local ok, reason = rule.check(submission, task, world)
    if not ok then return reason or ("rule '%s' does not hold"):format(rule.id) end
  end
  return nil
end

-- Nil when the submission may be stored, else the answer that refuses.
local function refuse(context, fields, task_row, hotkey)
  local refusal = not_live(task_row)
  if refusal then return refusal end
  if not (fields.patch or ""):find("%S") and not fields.artifact_uri then
    return answer.detail(400, "submission needs either a non-empty patch or an artifact_uri")
  end
  local reason = broken_rule(fields, records.task(task_row),
    world_of(context, task_row.id, hotkey))
  return reason and answer.detail(400, reason) or nil
end

local function insert(context, db, fields, claim)
  local kept = {}
  for name, value in pairs(fields) do kept[name] = value end
  kept.claim_id, kept.patch = nil, fields.patch or ""
  kept.claimed_metrics = fields.claimed_metrics or {}
  return database.put(db, "submission", [[INSERT INTO submission
    (id, task_id, claim_id, miner_hotkey, status, body, created_at)
    VALUES (?, ?, ?, ?, 'pending_verification', ?, ?) RETURNING *]],
    database.uuid(), claim.task_id, claim.id, claim.miner_hotkey, assert(canonical.encode(kept)),
    database.stamp(context.now()))
end

local function submit(context, call)
  return transaction(context, function(db, changed)
    local claim, refusal = own_claim(db, call.body.claim_id, call.hotkey)
    if not claim then return refusal end
    refusal = refuse(context, call.body, task_store.row(db, claim.task_id), call.hotkey)
    if refusal then return refusal end
    local row = insert(context, db, call.body, claim)
    changed(row)
    end_claim(db, claim, "completed", "completed")
    return answer.raw(201, row.record)
  end)
end

local filters = { "task_id", "status" }

local function list_of(name)
  return function(context, call)
    return answer.raw(200, database.list(context.db, name, filters, call.query))
  end
end

-- A handler of a submission that exists.
local function with_submission(handler)
  return function(context, call)
    local row = database.row(context.db, "SELECT * FROM submission WHERE id = ?", call.id)
    if not row then return answer.detail(404, "Submission not found") end
    return handler(context, row)
  end
end

local function one(_, row)
  return answer.raw(200, row.record)
end

local of_submission = { "submission_id" }

local function detail(context, row)
  local query = { submission_id = row.id }
  local function list(name)
    return assert(canonical.decode(database.list(context.db, name, of_submission, query)))
  end
  local task = records.task(task_store.row(context.db, row.task_id))
  return answer.json(200, {
    submission = assert(canonical.decode(row.record)), verifications = list "job",
    peer_evaluations = list "peer_evaluation",
    peer_consensus = peers.of(context.db, row, task) or canonical.null,
    idea_rewards = list "idea_reward", metric_name = task.metric_name,
  })
end

local function execution_log(_, row)
  local log = records.submission(row).execution_log
  if log == canonical.null then return answer.detail(404, "Execution log not found") end
  return answer.text(200, log)
end

local function artifact(_, row)
  local uri = records.submission(row).artifact_uri
  if uri == canonical.null then return answer.detail(404, "Artifact not found") end
  return answer.redirect(307, uri)
end

local function replay_log(context, row)
  local job = database.row(context.db, [[SELECT replay_log FROM job
    WHERE submission_id = ? AND replay_log IS NOT NULL ORDER BY position DESC LIMIT 1]], row.id)
  if not job then return answer.detail(404, "Replay log not found") end
  return answer.text(200, job.replay_log)
end

local ONE <const> = "/api/v1/submissions/{submission_id}"

return {
  { "POST", "/api/v1/tasks/{task_id}/claim", claim_task, about = "claim a task", auth = "miner",
    body = claim_fields, answer = "claim", status = 201 },
  { "GET", "/api/v1/claims", list_of "claim", about = "claims", query = filters,
    answer = "claim", list = true },
  { "POST", "/api/v1/claims/{claim_id}/cancel", cancel_claim, about = "give up a claim",
    auth = "hotkey", answer = "claim" },
  { "POST", "/api/v1/submissions", submit, about = "submit for a claim", auth = "miner",
    body = submission_fields, answer = "submission", status = 201 },
  { "GET", "/api/v1/submissions", list_of "submission", about = "submissions", auth = "hotkey",
    query = filters, answer = "submission", list = true },
  { "GET", ONE, with_submission(one), about = "one submission", auth = "hotkey",
    answer = "submission" },
  { "GET", ONE .. "/detail", with_submission(detail), about = "a submission and what became of it",
    auth = "hotkey", answer = "detail" },
  { "GET", ONE .. "/execution.log", with_submission(execution_log),
    about = "the log that came with it", auth = "hotkey", answer = "text" },
  { "GET", ONE .. "/artifact", with_submission(artifact), about = "where its artifact lies",
    auth = "hotkey", answer = "redirect", status = 307 },
  { "GET", ONE .. "/replay.log", with_submission(replay_log), about = "the last validator's log",
    auth = "admin", answer = "text" },
}
