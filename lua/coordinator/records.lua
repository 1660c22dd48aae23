-- The records of contract.md 1.4: what their fields are when they are there, so that nobody who
-- reads one meets a number for a text or a list for an object. Unknown fields stay as they came,
-- missing ones stay away, and null is missing.
local check = require "bittern.check"
local json = require "bittern.json"
local task_record = require "bittern.task"

local M = {}

-- field = type; { kind } is an array of records, { kind = true } one record.
local kinds = {
  health = { status = "text" },
  openapi = { openapi = "text", info = "object", paths = "object", components = "object" },
  disclaimer = {
    code = "text", version = "text", title = "text", summary = "text", must_display = "boolean",
    url = "text",
  },
  dashboard = { generated_at = "text" },
  onchain_status = {
    configured = "boolean", ws_url = "text", contract = "text", metadata_path = "text",
  },
  idea_reward = {
    id = "text", task_id = "text", submission_id = "text", implemented_submission_id = "text",
    proposer_hotkey = "text", implementer_hotkey = "text", proposer_score = "number",
    implementer_score = "number", created_at = "text",
  },
  reward_snapshot = {
    generated_at = "text", score_ema_days = "number", competition_count = "integer",
    competitions = { "competition" }, reward_policy = "object",
  },
  competition = {
    slug = "text", competition_mode = "text", scoring_mode = "text", reward_scope = "text",
    weight = "number", miners = { "miner" },
  },
  miner = { hotkey = "text", score = "number" },
  task = {
    id = "text", slug = "text", title = "text", brief = "text", task_state = "text",
    is_active = "boolean", repository = "text", base_ref = "text", setup_command = "text",
    benchmark_command = "text", result_path = "text", allowed_patch_paths = "list",
    max_patch_bytes = "integer", metric_name = "text", metric_direction = "text",
    ranking_mode = "text", secondary_metric_name = "text", secondary_metric_direction = "text",
    competition_mode = "text", min_peer_evaluations = "integer", onboard_path = "text",
    time_budget_seconds = "integer", created_at = "text", updated_at = "text",
  },
  best = {
    task_id = "text", submission_id = "text", miner_hotkey = "text", metric_name = "text",
    metric_value = "number", observed_metrics = "metrics", artifact_uri = "text",
    artifact_sha256 = "text", artifact_size_bytes = "integer", updated_at = "text",
    submission = { submission = true },
  },
  claim = {
    id = "text", task_id = "text", miner_hotkey = "text", status = "text",
    claim_description = "text", base_submission_id = "text", work_item_id = "text",
    created_at = "text",
  },
  work_item = {
    id = "text", task_id = "text", kind = "text", strategy_key = "text", title = "text",
    instructions = "text", priority = "integer", status = "text", claim_id = "text",
    base_submission_id = "text", created_at = "text",
  },
  submission = {
    id = "text", task_id = "text", claim_id = "text", miner_hotkey = "text", status = "text",
    base_ref = "text", base_commit_sha = "text", patch = "text", summary = "text",
    claimed_metrics = "metrics", observed_metrics = "metrics", proposed_idea = "text",
    implemented_submission_id = "text", artifact_uri = "text", artifact_sha256 = "text",
    artifact_size_bytes = "integer", execution_log = "text", created_at = "text",
  },
  detail = {
    submission = { submission = true }, verifications = { "verification" },
    peer_evaluations = { "peer_evaluation" }, peer_consensus = { peer_consensus = true },
    idea_rewards = { "idea_reward" }, metric_name = "text", replay_spec = "object",
  },
  verification = {
    id = "text", submission_id = "text", validator_hotkey = "text", status = "text",
    observed_metrics = "metrics", notes = "text", created_at = "text",
  },
  peer_evaluation = {
    id = "text", submission_id = "text", evaluator_hotkey = "text", status = "text",
    observed_metrics = "metrics", notes = "text", created_at = "text",
  },
  peer_consensus = {
    submission_id = "text", status = "text", accepted_count = "integer",
    rejected_count = "integer", observed_metrics = "metrics",
  },
  jobs = { jobs = { "job" } },
  job = {
    job_id = "text", submission_id = "text", task_id = "text", submission = { submission = true },
    task = { task = true }, replay_spec = "object", detail = "object", status = "text",
  },
}

local function number_of(value)
  if type(value) == "number" then return value end
  return type(value) == "string" and value:find("^[+-]?%.?%d[%d.eE+-]*$") and tonumber(value) or nil
end

local function is_list(value)
  return #value > 0 or next(value) == nil
end

local truths = { ["true"] = true, ["false"] = false, ["1"] = true, ["0"] = false }

-- Each gives the value as its type has it, or nil.
local readers = {
  text = function(value)
    if math.type(value) == "integer" then return ("%d"):format(value) end
    if type(value) == "string" then return value end
    return type(value) ~= "table" and tostring(value) or nil
  end,
  number = number_of,
  integer = function(value) return math.tointeger(number_of(value)) end,
  boolean = function(value)
    if type(value) == "boolean" then return value end
    return truths[tostring(value):lower()]
  end,
  object = function(value) return type(value) == "table" and value or nil end,
  list = function(value) return type(value) == "table" and is_list(value) and value or nil end,
  metrics = function(value)
    if type(value) ~= "table" then return nil end
    local metrics = {}
    for name, number in pairs(value) do
      if type(name) == "string" then metrics[name] = number_of(number) end
    end
    return metrics
  end,
}

local shape

local function list_of(kind, value, warn)
  if type(value) ~= "table" or not is_list(value) then return nil end
  local list = {}
  for _, item in ipairs(value) do list[#list + 1] = shape(kind, item, warn) end
  return json.array(list)
end

local function read(kind, value, warn)
  if type(kind) == "string" then return readers[kind](value) end
  if kind[1] then return list_of(kind[1], value, warn) end
  return shape(next(kind), value, warn)
end

function shape(kind, raw, warn)
  if type(raw) ~= "table" or #raw > 0 then return nil end
  local record, fields = task_record.plain(raw), kinds[kind]
  for _, name in ipairs(check.sorted_keys(fields)) do
    local value = record[name]
    if value ~= nil then record[name] = read(fields[name], value, warn) end
    if value ~= nil and record[name] == nil then
      warn(("%s %s: %s is a %s; left out"):format(kind:gsub("_", " "), tostring(record.id or "?"),
        name, type(value)))
    end
  end
  return record
end

--- A record as it came, its known fields made what they should be.
-- @param kind string, a key of M.fields
-- @param raw decoded JSON
-- @param warn function(text), told of each known field that made no sense and was left out
-- @return record, or nil when it is no object
function M.shape(kind, raw, warn)
  assert(kinds[kind], kind)
  return shape(kind, raw, warn)
end

--- {kind = {field = type}}, for documents and comparisons; see the top of this file.
M.fields = kinds

return M
