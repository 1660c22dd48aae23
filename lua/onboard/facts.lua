-- What an onboarding text says of the task itself: its repository, commands, paths, caps, metric
-- and mode, so that they can be held against the task record.
local entries = require "bittern.onboard.entries"
local values = require "bittern.onboard.values"

local M = {}

-- Field of the task record -> how its value is read, and the keys that pages use for it.
local fields = {
  id = { values.name, "task id" }, slug = { values.name, "slug", "task slug" },
  repository = { values.name, "repository", "repo", "git repository", "repository url", "repo url",
    "clone url", "task repository", "source repository" },
  base_ref = { values.name, "base ref", "base branch", "branch", "git ref", "base commit",
    "base reference" },
  setup_command = { values.command, "setup", "setup command", "setup cmd", "prepare command" },
  benchmark_command = { values.command, "benchmark", "benchmark command", "benchmark cmd",
    "evaluation command", "eval command", "run the benchmark" },
  result_path = { values.name, "result path", "results path", "result file", "results file",
    "result json", "result json path" },
  allowed_patch_paths = { values.paths, "allowed patch paths", "allowed patch path",
    "allowed paths", "allowed patch", "allowed files", "allowed patch files", "editable files",
    "editable paths", "patch surface", "allowed patch surface", "allowed recipe patch",
    "files you may edit", "files you may change", "mutable files" },
  max_patch_bytes = { values.bytes, "max patch bytes", "max patch size", "maximum patch size",
    "maximum patch bytes", "patch size limit", "patch limit", "patch cap", "max patch",
    "patch size cap", "patch size" },
  metric_name = { values.word, "metric", "primary metric", "metric name", "scored metric",
    "target metric" },
  metric_direction = { values.direction, "metric direction", "direction", "metric goal",
    "optimization direction" },
  secondary_metric_name = { values.word, "secondary metric", "secondary metric name" },
  secondary_metric_direction = { values.direction, "secondary metric direction" },
  ranking_mode = { values.mode, "ranking", "ranking mode" },
  competition_mode = { values.mode, "mode", "competition mode", "competition type" },
  min_peer_evaluations = { values.count, "min peer evaluations", "minimum peer evaluations",
    "peer evaluations needed" },
  time_budget_seconds = { values.seconds, "time budget", "time budget seconds", "time limit",
    "replay time budget", "wall clock budget", "runtime budget", "fixed replay time budget" },
  submission_surface = { values.mode, "submission surface" },
  requires_submission_artifact = { values.boolean, "requires submission artifact",
    "artifact required" },
  required_submission_fields = { values.fields, "required submission fields", "required fields",
    "required sidecar fields" },
  task_state = { values.mode, "task state" },
}

local by_key = {}
for field, row in pairs(fields) do
  for i = 2, #row do by_key[row[i]] = field end
end

local function normal(key)
  key = key:lower():gsub("%b()", " "):gsub("[`*_-]", " "):gsub("^[^%w]+", ""):gsub("%s+", " ")
  return key:match("^(.-)[%s:]*$"):gsub("^the ", "")
end

local KEY_MAX <const> = 80

local function field_of(key)
  return #key <= KEY_MAX and by_key[normal(key)] or nil
end

-- "heldout_ppl, minimize" speaks of two fields.
local also = { metric_name = "metric_direction",
  secondary_metric_name = "secondary_metric_direction" }

local readers = {}
for field, row in pairs(fields) do readers[field] = row[1] end

local function whole_text(entry)
  local parts = { entry.value ~= "" and entry.value or nil }
  for _, item in ipairs(entry.list) do parts[#parts + 1] = item.text end
  for _, line in ipairs(entry.fence or {}) do parts[#parts + 1] = line.text end
  return entry.key .. ": " .. table.concat(parts, ", ")
end

--- The facts of a text, each {field =, value =, line =, text =, section =}, in the order of their
-- lines.
-- @param text markdown, or anything
function M.read(text)
  local list, seen = {}, {}
  local function add(field, entry)
    local value = readers[field](entry)
    if value == nil then return end
    local words = type(value) == "table" and table.concat(value, "\0") or tostring(value)
    local key = ("%s\0%s\0%s"):format(field, words, entry.section)
    if seen[key] then return end
    seen[key] = true
    list[#list + 1] = { field = field, value = value, line = entry.line, section = entry.section,
      text = whole_text(entry) }
  end
  for _, entry in ipairs(entries.read(text, field_of)) do
    local field = field_of(entry.key)
    if field then
      add(field, entry)
      if also[field] then add(also[field], entry) end
    end
  end
  return list
end

return M
