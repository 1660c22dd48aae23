-- Routes of the admin: tasks and the reward policy.
local canonical = require "bittern.canonical"

local answer = require "bittern.practice.answer"
local database = require "bittern.practice.database"
local records = require "bittern.practice.records"
local task_store = require "bittern.practice.task_store"
local transaction = require "bittern.practice.transaction"

local default_policy = {
  scoring_mode = "accepted_plus_best",
  validator_weights = { mode = "local", targets = canonical.array {} },
}

local function create(context, call)
  local ok, message = task_store.check_mode(call.body)
  if not ok then return answer.detail(400, message) end
  return transaction(context, function(db)
    local row = task_store.create(db, call.body, context.now())
    if not row then return answer.detail(409, "slug is taken: " .. call.body.slug) end
    return answer.json(201, records.task(row))
  end)
end

local function set(state)
  return function(context, call)
    local done = task_store.set_state(context.db, "id", call.id, state, context.now())
    if not done then return answer.detail(404, "Task not found") end
    return answer.json(200, records.task(task_store.row(context.db, call.id)))
  end
end

local function policy(context)
  local row = database.row(context.db, "SELECT value FROM setting WHERE name = 'reward_policy'")
  return row and answer.raw(200, row.value) or answer.json(200, default_policy)
end

local function set_policy(context, call)
  assert(context.db:exec([[INSERT INTO setting (name, value) VALUES ('reward_policy', ?)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value]],
    assert(canonical.encode(call.body))))
  return policy(context)
end

local ONE <const> = "/api/v1/tasks/{task_id}"

return {
  { "POST", "/api/v1/tasks", create, about = "create a task", auth = "admin",
    body = task_store.fields, answer = "task", status = 201 },
  { "POST", ONE .. "/pause", set "paused", about = "pause a task", auth = "admin",
    answer = "task" },
  { "POST", ONE .. "/resume", set "live", about = "let a paused task go on", auth = "admin",
    answer = "task" },
  { "POST", ONE .. "/close", set "closed", about = "close a task", auth = "admin",
    answer = "task" },
  { "GET", "/api/v1/reward-policy", policy, about = "how rewards are shared", auth = "admin",
    answer = "object" },
  { "PUT", "/api/v1/reward-policy", set_policy, about = "share rewards in another way",
    auth = "admin", body = {}, answer = "object" },
}
