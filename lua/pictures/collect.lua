-- What the ledger knows for a report: scores, compressions and their tensors, submissions, the
-- gate's verdict. Nothing here is drawn, and nothing asks the network.
local canonical = require "bittern.canonical"
local frontier = require "bittern.eval.frontier"
local json = require "bittern.json"

local M = {}

-- Compressions that are shown beside each other.
local MOST <const> = 12

local function base_name(path)
  return path:match "([^/]+)/*$" or path
end

-- The runs that were asked for, or all of them.
local function runs_of(ledger, wanted)
  local rows, message, code = ledger:query "SELECT * FROM runs ORDER BY id DESC"
  if not rows then return nil, "ledger: " .. message, code end
  local by_id, list = {}, {}
  for _, row in ipairs(rows) do by_id[row.id] = row end
  for i, id in ipairs(wanted) do
    if not by_id[id] then
      return nil, ("the ledger has no run %d; `bittern report --json` lists them"):format(id),
        "not_found"
    end
    list[i] = by_id[id]
  end
  return #wanted > 0 and list or rows
end

local function is_of(run_ids, id)
  return not run_ids or run_ids[id] ~= nil
end

local function step_result(ledger, run, name)
  local step = ledger:step(run, name)
  return step and type(step.result) == "table" and step.result or nil
end

-- The same bytes made twice are shown once.
local function is_new(seen, row)
  local key = row.sha256 or row.id
  local is_known = seen[key]
  seen[key] = true
  return not is_known
end

-- Compressions of the runs, which name theirs; all when no run was named.
local function compressions_of(ledger, data, run_ids)
  local rows, message, code = ledger:query("SELECT * FROM compressions ORDER BY id DESC")
  if not rows then return nil, "ledger: " .. message, code end
  local mine = {}
  for id in pairs(run_ids or {}) do
    local made = step_result(ledger, id, "compress")
    if made and made.compression then mine[made.compression] = true end
  end
  local seen = {}
  for _, row in ipairs(rows) do
    local wanted = (not run_ids or mine[row.id]) and #data.compressions < MOST
    if wanted and is_new(seen, row) then
      row.compression, row.base = row.settings, base_name(row.model)
      data.compressions[#data.compressions + 1] = row
    end
  end
  local labels = frontier.labels(data.compressions)
  for i, row in ipairs(data.compressions) do row.label = labels[i] end
  return true
end

-- "model.layers.12.mlp.down_proj.weight" -> "12", "down_proj"; "lm_head.weight" -> "lm_head", nil.
local function place_of(name)
  local stem = name:gsub("%.weight$", "")
  local layer, rest = stem:match "%.(%d+)%.(.+)$"
  if layer then return layer, rest:match "([^.]+)$" end
  return stem:match "([^.]+)$", nil
end

local function tensor_of(row, cost)
  local plan = json.decode(row.plan) or {}
  local layer, role = place_of(row.name)
  return { name = row.name, layer = layer, role = role, codec = row.codec, bytes = row.bytes,
    parameters = plan.parameters, rescued = plan.rescued, error = row.error,
    bits = row.bytes and (plan.parameters or 0) > 0 and 8 * row.bytes / plan.parameters or nil,
    lost_nats = cost and cost.lost, lost_error_nats = cost and cost.error }
end

-- Costs lie under the hash of what was scored: an archive's, or that of a folder, which a
-- compression knows by its path only.
local function scored_hash(ledger, made)
  if made.sha256 then return made.sha256 end
  local found = ledger:query([[SELECT sha256 FROM costs WHERE model = ? AND measured >= ?
    ORDER BY measured DESC LIMIT 1]], made.out, made.ended)
  return found and found[1] and found[1].sha256 or ""
end

local function costs_of(ledger, made)
  local rows, message, code = ledger:costs(scored_hash(ledger, made))
  if not rows then return nil, "ledger: " .. message, code end
  local costs = {}
  for _, row in ipairs(rows) do costs[row.name] = row end
  return costs
end

-- The tensors of the newest compression; of those of one artifact whose costs are known, if any.
local function add_tensors(ledger, data)
  local made, costs = data.compressions[1], {}
  for _, one in ipairs(data.compressions) do
    local found, message, code = costs_of(ledger, one)
    if not found then return nil, message, code end
    if next(found) then
      made, costs = one, found
      break
    end
  end
  if not made then return true end
  local rows, message, code = ledger:tensors(made.id)
  if not rows then return nil, "ledger: " .. message, code end
  data.tensors = json.array {}
  for i, row in ipairs(rows) do data.tensors[i] = tensor_of(row, costs[row.name]) end
  data.made, data.has_costs = made, next(costs) ~= nil
  return true
end

-- The metric of a submission: its task's, as the run saw it, else the only one there is.
local function metric_of(task, claimed)
  if task and type(claimed[task.metric_name]) == "number" then return task.metric_name end
  local only = next(claimed)
  if claimed.heldout_ppl then return "heldout_ppl" end
  return only and next(claimed, only) == nil and only or nil
end

local function submission_of(ledger, row)
  local body = canonical.decode(row.body)
  if type(body) ~= "table" then body = {} end
  local claimed = type(body.claimed_metrics) == "table" and body.claimed_metrics or {}
  local found = row.run and step_result(ledger, row.run, "discover")
  local task = found and found.task
  local metric = metric_of(task, claimed)
  return { post = row.id, run = row.run, slug = row.slug or row.task_id, id = row.record_id,
    state = row.state == "done" and row.status or row.state, at = row.sent or row.started,
    metric = metric, value = metric and claimed[metric],
    maximize = task and task.metric_direction == "maximize" or false,
    bytes = body.artifact_size_bytes, message = row.message }
end

local function add_submissions(ledger, data, run_ids)
  local rows, message, code = ledger:query([[SELECT posts.*, runs.slug FROM posts
    LEFT JOIN runs ON runs.id = posts.run WHERE posts.kind = 'submission' ORDER BY posts.id]])
  if not rows then return nil, "ledger: " .. message, code end
  for _, row in ipairs(rows) do
    if is_of(run_ids, row.run) then
      data.submissions[#data.submissions + 1] = submission_of(ledger, row)
    end
  end
  return true
end

-- The verdict of the newest run that came to the gate.
local function add_gate(ledger, data)
  for _, run in ipairs(data.runs) do
    local judged = step_result(ledger, run.id, "gate")
    if judged and type(judged.results) == "table" and not data.gate then
      data.gate = { run = run.id, slug = run.slug, verdict = judged.verdict,
        results = judged.results }
    end
  end
end

local function add_scores(ledger, data)
  local rows, message, code = ledger:scores()
  if not rows then return nil, "ledger: " .. message, code end
  local points, others, first = frontier.comparable(rows)
  if #points == 0 then return true end
  -- A budget is that of a model of so many parameters.
  local made = data.compressions[1]
  local budget = made and made.parameters == first.parameters and made.budget or nil
  frontier.mark(points)
  frontier.mark_best(points, budget)
  data.frontier = { points = json.array(points), others = others, budget = budget,
    settings = first.settings }
  return true
end

local function public(run)
  return { id = run.id, workflow = run.workflow, slug = run.slug, state = run.state,
    started = run.started, ended = run.ended }
end

--- Gathers what a report shows.
-- @param ledger an open one
-- @param wanted array of numbers of runs; empty for all
-- @return {runs, compressions, submissions = arrays; frontier = {points, others, budget}, tensors =
--   of the compression `made`, has_costs = whether `eval --by-layer` measured it, gate = {run,
--   slug, verdict, results}: where there are any}, or nil, message, code
function M.gather(ledger, wanted)
  local runs, message, code = runs_of(ledger, wanted)
  if not runs then return nil, message, code end
  local data = { runs = json.array {}, compressions = json.array {}, submissions = json.array {} }
  local run_ids = #wanted > 0 and {} or nil
  for i, run in ipairs(runs) do
    data.runs[i] = public(run)
    if run_ids then run_ids[run.id] = true end
  end
  for _, add in ipairs { compressions_of, add_submissions, add_scores, add_tensors } do
    local ok, why, id = add(ledger, data, run_ids)
    if not ok then return nil, why, id end
  end
  add_gate(ledger, data)
  return data
end

return M
