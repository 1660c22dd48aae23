-- Routes that miners sign: claims, submissions and what became of them.
local canonical = require "bittern.canonical"
local script = require "bittern.script"

local answer = require "bittern.practice.answer"
local body = require "bittern.practice.body"
local database = require "bittern.practice.database"
local records = require "bittern.practice.records"

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

-- Runs fn(db) in a transaction; fn answers a response. Only a good one is kept.
local function committed(context, fn)
  local refusal
  local response, message = context.db:transaction(function(db)
    local result = fn(db)
    if result.status < 300 then return result end
    refusal = result
    return nil
  end)
  return response or refusal or error(message, 0)
end

local base_submission = "SELECT 1 AS x FROM submission WHERE id = ? AND task_id = ?"

local function claim_task(context, call)
  local fields, wrong = body.check(call.body, claim_fields)
  if not fields then return answer.invalid(wrong) end
  return committed(context, function(db)
    local task = database.row(db, "SELECT * FROM task WHERE id = ?", call.id)
    if not task then return answer.detail(404, "Task not found") end
    if task.task_state ~= "live" then return answer.detail(409, "task is " .. task.task_state) end
    local base = fields.base_submission_id
    if base and not database.row(db, base_submission, base, task.id) then
      return answer.detail(404, "Base submission not found")
    end
    local row = database.row(db, [[INSERT INTO claim
      (id, task_id, miner_hotkey, status, claim_description, base_submission_id, created_at)
      VALUES (?, ?, ?, 'active', ?, ?, ?) RETURNING *]],
      database.uuid(), task.id, call.hotkey, fields.claim_description, base,
      database.stamp(context.now()))
    return answer.json(201, records.claim(row))
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

local function set_claim(db, id, status)
  return database.row(db, "UPDATE claim SET status = ? WHERE id = ? RETURNING *", status, id)
end

local function cancel_claim(context, call)
  return committed(context, function(db)
    local claim, refusal = own_claim(db, call.id, call.hotkey)
    if not claim then return refusal end
    return answer.json(200, records.claim(set_claim(db, claim.id, "cancelled")))
  end)
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

local function submissions_of(db, task_id)
  local rows = database.rows(db, "SELECT * FROM submission WHERE task_id = ? ORDER BY position",
    task_id)
  return records.list(rows, records.submission)
end

-- Nil when the submission may be stored, else the answer that refuses.
local function refuse(db, fields, task_row, hotkey)
  if task_row.task_state ~= "live" then
    return answer.detail(409, "task is " .. task_row.task_state)
  end
  if not (fields.patch or ""):find("%S") and not fields.artifact_uri then
    return answer.detail(400, "submission needs either a non-empty patch or an artifact_uri")
  end
  local reason = broken_rule(fields, records.task(task_row), {
    hotkey = hotkey, submissions = submissions_of(db, task_row.id), server = true,
  })
  return reason and answer.detail(400, reason) or nil
end

local function insert(context, db, fields, claim)
  local kept = {}
  for name, value in pairs(fields) do kept[name] = value end
  kept.claim_id, kept.patch = nil, fields.patch or ""
  kept.claimed_metrics = fields.claimed_metrics or {}
  return database.row(db, [[INSERT INTO submission
    (id, task_id, claim_id, miner_hotkey, status, body, created_at)
    VALUES (?, ?, ?, ?, 'pending_verification', ?, ?) RETURNING *]],
    database.uuid(), claim.task_id, claim.id, claim.miner_hotkey, assert(canonical.encode(kept)),
    database.stamp(context.now()))
end

local function submit(context, call)
  local fields, wrong = body.check(call.body, submission_fields)
  if not fields then return answer.invalid(wrong) end
  return committed(context, function(db)
    local claim, refusal = own_claim(db, fields.claim_id, call.hotkey)
    if not claim then return refusal end
    local task = database.row(db, "SELECT * FROM task WHERE id = ?", claim.task_id)
    refusal = refuse(db, fields, task, call.hotkey)
    if refusal then return refusal end
    local row = insert(context, db, fields, claim)
    set_claim(db, claim.id, "completed")
    return answer.json(201, records.submission(row))
  end)
end

local function list(context, call)
  local rows = database.rows(context.db, [[SELECT * FROM submission
    WHERE task_id = ifnull(?1, task_id) AND status = ifnull(?2, status) ORDER BY position]],
    call.query.task_id, call.query.status)
  return answer.json(200, records.list(rows, records.submission))
end

-- A handler of a submission that exists.
local function with_submission(handler)
  return function(context, call)
    local row = database.row(context.db, "SELECT * FROM submission WHERE id = ?", call.id)
    if not row then return answer.detail(404, "Submission not found") end
    return handler(context, records.submission(row))
  end
end

local function detail(context, submission)
  local task = database.row(context.db, "SELECT * FROM task WHERE id = ?", submission.task_id)
  local jobs = database.rows(context.db,
    "SELECT * FROM job WHERE submission_id = ? ORDER BY position", submission.id)
  return answer.json(200, {
    submission = submission, verifications = records.list(jobs, records.verification),
    peer_evaluations = canonical.array {}, peer_consensus = canonical.null,
    idea_rewards = canonical.array {}, metric_name = records.task(task).metric_name,
  })
end

local function execution_log(_, submission)
  if submission.execution_log == canonical.null then
    return answer.detail(404, "Execution log not found")
  end
  return answer.text(200, submission.execution_log)
end

local function artifact(_, submission)
  if submission.artifact_uri == canonical.null then
    return answer.detail(404, "Artifact not found")
  end
  return { status = 307, headers = { Location = submission.artifact_uri }, body = "" }
end

return {
  { "POST", "/api/v1/tasks/{id}/claim", claim_task, auth = "miner" },
  { "POST", "/api/v1/claims/{id}/cancel", cancel_claim, auth = "hotkey" },
  { "POST", "/api/v1/submissions", submit, auth = "miner" },
  { "GET", "/api/v1/submissions", list, auth = "hotkey" },
  { "GET", "/api/v1/submissions/{id}", with_submission(function(_, submission)
    return answer.json(200, submission)
  end), auth = "hotkey" },
  { "GET", "/api/v1/submissions/{id}/detail", with_submission(detail), auth = "hotkey" },
  { "GET", "/api/v1/submissions/{id}/execution.log", with_submission(execution_log),
    auth = "hotkey" },
  { "GET", "/api/v1/submissions/{id}/artifact", with_submission(artifact), auth = "hotkey" },
}
