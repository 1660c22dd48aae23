-- The practice coordinator's tasks: those that ship, those of files, those that an admin posts.
local canonical = require "bittern.canonical"
local fs = require "core.fs"

local body = require "bittern.practice.body"
local script = require "bittern.script"

local database = require "bittern.practice.database"
local onboarding = require "bittern.practice.onboarding"

local M = {}

local directions = { "minimize", "maximize" }

--- The body that creates a task (contract.md 1.4.2), and what validators know beside it.
M.fields = {
  { name = "slug", type = "string", required = true, min = 3, max = 120 },
  { name = "title", type = "string", required = true, min = 3, max = 255 },
  { name = "brief", type = "string", max = 20000 },
  { name = "onboard_md", type = "string", max = 40000 },
  { name = "repository", type = "string", required = true, min = 1 },
  { name = "base_ref", type = "string", required = true, min = 1 },
  { name = "setup_command", type = "string" },
  { name = "benchmark_command", type = "string", required = true, min = 1 },
  { name = "result_path", type = "string" },
  { name = "allowed_patch_paths", type = "texts", required = true, min = 1, max = 64 },
  { name = "max_patch_bytes", type = "integer", min = 1 },
  { name = "metric_name", type = "string", required = true, min = 1 },
  { name = "metric_direction", type = "choice", required = true, choices = directions },
  { name = "ranking_mode", type = "choice", choices = { "scalar", "pareto" } },
  { name = "secondary_metric_name", type = "string" },
  { name = "secondary_metric_direction", type = "choice", choices = directions },
  { name = "competition_mode", type = "string", min = 1 },
  { name = "mode_args", type = "texts_by_name" },
  { name = "min_peer_evaluations", type = "integer", min = 1, max = 20 },
  { name = "time_budget_seconds", type = "integer", required = true, min = 1, max = 86400 },
  { name = "validator_benchmark_env", type = "texts_by_name" },
}

local defaults = {
  ranking_mode = "scalar", competition_mode = "centerless", min_peer_evaluations = 1,
  max_patch_bytes = 262144,
}

local nullable = {
  "setup_command", "result_path", "secondary_metric_name", "secondary_metric_direction",
}

-- A creation's fields as the record that everyone sees; the rest is for validators.
local function record_of(fields)
  local record = {}
  for name, value in pairs(defaults) do record[name] = value end
  for _, name in ipairs(nullable) do record[name] = canonical.null end
  for name, value in pairs(fields) do record[name] = value end
  record.validator_benchmark_env, record.onboard_md = nil, nil
  return record
end

local function insert(db, task, now, on_conflict)
  return db:exec(([[INSERT INTO task
    (id, slug, record, onboard_md, environment, task_state, created_at, updated_at)
    VALUES (?1, ?2, ?3, ?4, ?5, 'live', ?6, ?6)
    ON CONFLICT (slug) DO %s]]):format(on_conflict),
    database.uuid(), task.record.slug, assert(canonical.encode(task.record)), task.page,
    assert(canonical.encode(task.environment)), database.stamp(now))
end

-- The page is the author's own, or made of the record.
local function from_fields(fields)
  local record = record_of(fields)
  return {
    record = record, page = fields.onboard_md or onboarding.plain(record),
    environment = fields.validator_benchmark_env or {},
  }
end

--- Whether the arguments that a task sets are its mode's; nothing is known of a mode that is not
-- here.
-- @return true, or nil, message
function M.check_mode(fields)
  local mode = script.find("mode", fields.competition_mode or defaults.competition_mode)
  if not mode then return true end
  local args, message = script.arguments(mode, fields.mode_args)
  if args then return true end
  return nil, "mode_args: " .. message
end

--- Creates a task.
-- @param fields as M.fields checked them
-- @return its row, false when the slug is taken
function M.create(db, fields, now)
  if assert(insert(db, from_fields(fields), now, "NOTHING")) == 0 then return false end
  return database.row(db, "SELECT * FROM task WHERE slug = ?", fields.slug)
end

-- What is said of a task anew; its id and state stay.
local renewed = [[UPDATE SET record = excluded.record, onboard_md = excluded.onboard_md,
  environment = excluded.environment, updated_at = excluded.updated_at]]

-- The record of a task that ships, with its repository where it has one.
local function shipped_record(task, made)
  if not made then return task.record end
  local record = {}
  for name, value in pairs(task.record) do record[name] = value end
  record.repository, record.base_ref = made.path, made.commit
  return record
end

--- Adds the tasks that ship; one that is there already gets what is said of it now.
-- @param made {slug = {path =, commit =}} of bittern.practice.repositories, or nil
-- @return true, or nil, message, code
function M.add_shipped(db, now, made)
  for _, task in ipairs(require "bittern.practice.tasks") do
    local record = shipped_record(task, made and made[task.record.slug])
    local done, message, code = insert(db, {
      record = record, page = onboarding.page(task, record),
      environment = { AUTORESEARCH_REQUIRE_SUBMISSION_ARTIFACT = "1" },
    }, now, renewed .. " WHERE record <> excluded.record")
    if not done then return nil, message, code end
  end
  return true
end

local function read(path)
  local text, message, code = fs.read(path, 1 << 20)
  if not text then return nil, message, code end
  local value, why = canonical.decode(text)
  if value == nil then return nil, ("%s: %s"):format(path, why), "config" end
  local fields, wrong = body.check(value, M.fields)
  if fields then
    local ok, message_of_mode = M.check_mode(fields)
    if ok then return fields end
    return nil, ("%s: %s"):format(path, message_of_mode), "config"
  end
  local place = table.concat(wrong[1].loc, ".", 2)
  return nil, ("%s: %s: %s"):format(path, place ~= "" and place or "task", wrong[1].msg), "config"
end

--- Adds the task of a file: the body of POST /api/v1/tasks. One that is there already gets what
-- the file says now, and keeps its id and state.
-- @return true, or nil, message, code
function M.add_file(db, path, now)
  local fields, message, code = read(path)
  if not fields then return nil, message, code end
  local done, why, id = insert(db, from_fields(fields), now, renewed)
  if not done then return nil, why, id end
  return true
end

--- Pauses, resumes or closes a task.
-- @param column "slug" or "id"
-- @param state "paused"|"live"|"closed"
-- @return true, or nil, message, code
function M.set_state(db, column, value, state, now)
  local sql = ("UPDATE task SET task_state = ?, updated_at = ? WHERE %s = ?"):format(column)
  local changed, message, code = db:exec(sql, state, database.stamp(now), value)
  if not changed then return nil, message, code end
  if changed == 0 then return nil, "no task '" .. value .. "'", "not_found" end
  return true
end

--- The row of a task, or nil.
function M.row(db, id)
  return database.row(db, "SELECT * FROM task WHERE id = ?", id)
end

return M
