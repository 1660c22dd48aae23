-- One submission as a page: its life from claim to verdict, what was claimed and what measured.
local canonical = require "bittern.canonical"
local check = require "bittern.check"
local h = require "bittern.page.html"
local parts = require "bittern.page.parts"

local consensus = require "bittern.practice.consensus"
local database = require "bittern.practice.database"
local overview = require "bittern.practice.overview"
local records = require "bittern.practice.records"

local M = {}

-- Nil for JSON's null.
local function given(value)
  if value == canonical.null then return nil end
  return value
end

local function metrics_text(metrics)
  local list = {}
  for _, name in ipairs(check.sorted_keys(given(metrics) or {})) do
    list[#list + 1] = ("%s %s"):format(name, parts.number(metrics[name]))
  end
  return table.concat(list, ", ")
end

local function event(tone, stamp, title, words)
  return h.li { class = tone, parts.time(stamp), h.b { title },
    words and words ~= "" and h.div { class = "words", words } }
end

local function verdicts(list, who)
  local events = {}
  for i, one in ipairs(list) do
    local title = one.status == "running" and h.join { who, " ", parts.short(one.hotkey),
      " is measuring" } or h.join { who, " ", parts.short(one.hotkey), ": ", one.status }
    local words = { metrics_text(one.observed_metrics), given(one.notes) }
    events[i] = event(parts.tone(one.status), one.created_at, title,
      table.concat(words, "\n"):match "^%s*(.-)%s*$")
  end
  return events
end

local function of_submission(context, name, hotkey, id)
  local list = {}
  for i, row in ipairs(database.rows(context.db,
    ("SELECT * FROM %s WHERE submission_id = ? ORDER BY position"):format(name), id)) do
    list[i] = records[name](row)
    list[i].hotkey = list[i][hotkey]
  end
  return list
end

local outcomes <const> = {
  accepted = "Accepted", rejected = "Rejected", error = "Could not be measured",
  pending_verification = "Waiting for a verdict",
}

local function outcome(context, row, task_row)
  local best = overview.best(context, task_row)
  local is_best = best and best.submission_id == row.id
  return h.li { class = parts.tone(row.status),
    h.b { outcomes[row.status] or row.status },
    is_best and h.div { "It is the best of its task since ", parts.time(best.updated_at) } }
end

local function life(context, row, task_row)
  local claim = database.row(context.db, "SELECT * FROM claim WHERE id = ?", row.claim_id)
  local evaluations = of_submission(context, "peer_evaluation", "evaluator_hotkey", row.id)
  return parts.section("life", "Its life", h.ol { class = "life",
    claim and event("good", claim.created_at, "Claimed", claim.claim_description),
    event("good", row.created_at, h.join { "Submitted by ", parts.short(row.miner_hotkey) }),
    verdicts(of_submission(context, "job", "validator_hotkey", row.id), "Validator"),
    verdicts(evaluations, "Peer"),
    outcome(context, row, task_row) })
end

local function consensus_facts(context, row, task)
  local found = consensus.of(context.db, row, task)
  if not found then return false end
  return parts.section("consensus", "What peers agree on", parts.facts {
    { "State", parts.state(found.status) },
    { "Accepted", ("%d of %d"):format(found.accepted_count, found.min_peer_evaluations or 1) },
    { "Rejected", tostring(found.rejected_count) } })
end

local function metrics(record, task)
  local claimed = given(record.claimed_metrics) or {}
  local observed = given(record.observed_metrics) or {}
  local all, rows = {}, {}
  for _, list in ipairs { claimed, observed } do
    for name in pairs(list) do all[name] = true end
  end
  for i, name in ipairs(check.sorted_keys(all)) do
    rows[i] = { name == task.metric_name and h.b { name } or name, parts.number(claimed[name]),
      parts.number(observed[name]) }
  end
  if #rows == 0 then return false end
  return parts.section("metrics", "Metrics", parts.table({ { "Metric" },
    { "Claimed", right = true }, { "Measured", right = true } }, rows, "claimed and measured"))
end

local function details(record, row)
  local size = given(record.artifact_size_bytes)
  return parts.section("details", "What was submitted",
    h.p { class = "words", given(record.summary) or "" }, parts.facts {
      { "Id", h.code { row.id } }, { "Miner", h.code { row.miner_hotkey } },
      { "Artifact", given(record.artifact_uri) and h.link(record.artifact_uri) },
      { "Size", math.type(size) and ("%d bytes"):format(size) },
      { "SHA-256", given(record.artifact_sha256) and h.code { record.artifact_sha256 } },
      { "Base", given(record.base_ref) and h.code { record.base_ref } },
      { "Builds on", given(record.implemented_submission_id)
        and h.link("/dashboard/submissions/" .. record.implemented_submission_id,
          record.implemented_submission_id) },
      { "Idea", given(record.proposed_idea) },
    },
    given(record.patch) and record.patch ~= "" and parts.folded("patch", "The patch", record.patch),
    given(record.execution_log) and parts.folded("log", "The miner's log", record.execution_log))
end

--- The sections of a submission's page.
-- @param row of the submission
-- @param task_row of its task
-- @return array of markup
function M.body(context, row, task_row)
  local record, task = records.submission(row), records.task(task_row)
  return {
    life(context, row, task_row), consensus_facts(context, row, task),
    metrics(record, task), details(record, row),
  }
end

return M
