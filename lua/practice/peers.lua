-- Routes of peer evaluation: miners judge, and the task's mode says who may and what they agree on.
local canonical = require "bittern.canonical"

local answer = require "bittern.practice.answer"
local consensus = require "bittern.practice.consensus"
local database = require "bittern.practice.database"
local judging = require "bittern.practice.judging"
local records = require "bittern.practice.records"
local task_store = require "bittern.practice.task_store"
local transaction = require "bittern.practice.transaction"

local evaluation_fields = {
  { name = "status", type = "choice", required = true,
    choices = { "accepted", "rejected", "error" } },
  { name = "observed_metrics", type = "metrics", required = true },
  { name = "notes", type = "string", max = 128000 },
}

-- The submission of a call, its task and that task's policy; or nil and the answer that refuses.
local function subject(db, call)
  local row = database.row(db, "SELECT * FROM submission WHERE id = ?", call.id)
  if not row then return nil, answer.detail(404, "Submission not found") end
  local task = records.task(task_store.row(db, row.task_id))
  local policy = consensus.policy(task)
  if policy then return row, task, policy end
  return nil, answer.detail(409, "task is not judged by peers: " .. task.competition_mode)
end

-- Nil when the verdict may be stored, else the answer that refuses.
local function refuse(db, call, row, task, policy)
  if row.status ~= "pending_verification" then
    return answer.detail(409, "peer consensus is final: " .. row.status)
  end
  local missing = judging.lacks_metric(task, call.body)
  if missing then return answer.detail(400, "observed_metrics lacks '" .. missing .. "'") end
  if not policy.check then return nil end
  local _, evaluations = consensus.of(db, row, task)
  local ok, reason = policy.check(call.body, records.submission(row),
    { hotkey = call.hotkey, evaluations = evaluations, task = task })
  return not ok and answer.detail(409, reason or "the mode refuses this evaluation") or nil
end

local function store(context, db, call, row)
  return database.put(db, "peer_evaluation", [[INSERT INTO peer_evaluation
    (id, submission_id, evaluator_hotkey, status, observed_metrics, notes, created_at)
    VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING *]], database.uuid(), row.id, call.hotkey,
    call.body.status, assert(canonical.encode(call.body.observed_metrics)), call.body.notes,
    database.stamp(context.now()))
end

local function evaluate(context, call)
  return transaction(context, function(db, changed)
    local row, task, policy = subject(db, call)
    if not row then return task end
    local refusal = refuse(db, call, row, task, policy)
    if refusal then return refusal end
    local stored = store(context, db, call, row)
    local agreed = consensus.of(db, row, task)
    if agreed.status ~= "pending" then
      local metrics = agreed.observed_metrics
      local decided = judging.decide(context, db, row.id, {
        status = agreed.status, observed_metrics = metrics ~= canonical.null and metrics or nil,
      })
      if decided then changed(decided) end
    end
    return answer.raw(201, stored.record)
  end)
end

local function peer_consensus(context, call)
  local row, task = subject(context.db, call)
  if not row then return task end
  return answer.json(200, (consensus.of(context.db, row, task)))
end

local filters = { "submission_id", "evaluator_hotkey", "status" }

return {
  { "POST", "/api/v1/submissions/{submission_id}/peer-evaluate", evaluate,
    about = "judge the submission of somebody else", auth = "miner", body = evaluation_fields,
    answer = "peer_evaluation", status = 201 },
  { "GET", "/api/v1/submissions/{submission_id}/peer-consensus", peer_consensus,
    about = "what peers agree on", answer = "peer_consensus" },
  { "GET", "/api/v1/peer-evaluations", function(context, call)
    return answer.raw(200, database.list(context.db, "peer_evaluation", filters, call.query))
  end, about = "verdicts of peers", query = filters, answer = "peer_evaluation", list = true },
}
