-- Routes of the pool: work items, their claims, and the planner that makes them.
local answer = require "bittern.practice.answer"
local database = require "bittern.practice.database"
local planner = require "bittern.practice.planner"
local records = require "bittern.practice.records"
local task_store = require "bittern.practice.task_store"
local transaction = require "bittern.practice.transaction"

local claim_fields = { { name = "claim_description", type = "string", max = 4000 } }

-- The claim that holds an item, when it is the caller's: asking again resumes it.
local function resume(db, item, hotkey)
  local claim = database.row(db,
    "SELECT * FROM claim WHERE id = ? AND miner_hotkey = ? AND status = 'active'",
    item.claim_id, hotkey)
  if claim then return answer.raw(200, claim.record) end
  return answer.detail(409, "work item is " .. item.status)
end

local function take(context, db, call, item)
  local claim = database.put(db, "claim", [[INSERT INTO claim
    (id, task_id, miner_hotkey, status, claim_description, base_submission_id, work_item_id,
     created_at)
    VALUES (?, ?, ?, 'active', ?, ?, ?, ?) RETURNING *]], database.uuid(), item.task_id,
    call.hotkey, call.body.claim_description or item.title, item.base_submission_id, item.id,
    database.stamp(context.now()))
  database.put(db, "work_item", [[UPDATE work_item SET status = 'claimed', claim_id = ?
    WHERE id = ? RETURNING *]], claim.id, item.id)
  return answer.raw(201, claim.record)
end

local function claim_item(context, call)
  return transaction(context, function(db)
    local item = database.row(db, "SELECT * FROM work_item WHERE id = ?", call.id)
    if not item then return answer.detail(404, "Work item not found") end
    local task = task_store.row(db, item.task_id)
    if task.task_state ~= "live" then return answer.detail(409, "task is " .. task.task_state) end
    if item.status ~= "open" then return resume(db, item, call.hotkey) end
    return take(context, db, call, item)
  end)
end

local function plan(context)
  return transaction(context, function(db)
    local added = planner.plan(db, context.now())
    return answer.json(200, { created = records.list(added, records.work_item) })
  end)
end

local filters = { "task_id", "status" }

return {
  { "GET", "/api/v1/work-items", function(context, call)
    return answer.raw(200, database.list(context.db, "work_item", filters, call.query))
  end, about = "what the planner would like to see done", query = filters, answer = "work_item",
    list = true },
  { "POST", "/api/v1/work-items/{work_item_id}/claim", claim_item, about = "claim a work item",
    auth = "miner", body = claim_fields, answer = "claim", status = 201 },
  { "POST", "/api/v1/planner/run", plan, about = "plan work for every live task", auth = "admin",
    answer = "object" },
  { "POST", "/api/v1/planner/run-agentic", plan, about = "the same, by the same planner",
    auth = "admin", answer = "object" },
}
