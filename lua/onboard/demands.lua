-- What an onboarding text asks of a submission: which fields must be there, which may, which must
-- not. Reads sentences, lists under a heading that asks, and tables with a column "required".
-- It claims little: a sentence that only describes a field asks for nothing.
local blocks = require "bittern.onboard.blocks"

local M = {}

-- Fields of a submission. Those of one word are ordinary words, too, and need a verb before them.
local known = {
  artifact_uri = true, artifact_sha256 = true, artifact_size_bytes = true, claimed_metrics = true,
  proposed_idea = true, implemented_submission_id = true, execution_log = true, base_ref = true,
  claim_id = true, summary = true, patch = true,
}

-- Names that stand in backticks, too, and are no fields of a submission.
local metadata = {
  requires_submission_artifact = true, submission_surface = true, required_submission_fields = true,
  allowed_patch_paths = true, max_patch_bytes = true, task_state = true, is_active = true,
  competition_mode = true, metric_name = true, metric_direction = true, pending_verification = true,
}

local verbs = { "include", "submit", "provide", "supply", "attach", "carry", "contain", "require",
  "needs?%f[%A]", "need to set", "give", "fill in", "must have", "must set" }
local demanded_after = { "is required", "are required", "is mandatory", "are mandatory",
  "must be present", "must be set", "must be given", "must be included", "must be provided" }
local prohibitions = { "do not", "don't", "never", "must not", "may not", "not allowed" }
local conditions = { "when", "if", "unless", "either" }
local permissions = { "optionally", "is optional", "are optional", "you may", "may include",
  "may be omitted", "may be empty", "may add", "can be omitted" }

local function first_of(lower, patterns, word_ends)
  local first
  for _, pattern in ipairs(patterns) do
    local at = lower:find("%f[%w]" .. pattern .. (word_ends and "%f[%W]" or ""))
    if at and (not first or at < first) then first = at end
  end
  return first
end

-- "when submitting" is no condition: it is what everybody does.
local function condition_of(lower)
  local stripped = lower:gsub("when submitting", ""):gsub("when you submit", "")
  local at = first_of(stripped, conditions, true)
  return at and stripped:sub(at):gsub("[%s.;]+$", "") or nil
end

-- Every field named in a clause: {name, at, ticked}, in order.
local function mentions(text)
  local list = {}
  for at, name in text:gmatch("()%f[%w_]([%l][%l%d_]*)%f[^%w_]") do
    local ticked = text:sub(at - 1, at - 1) == "`" and text:sub(at + #name, at + #name) == "`"
    local is_field = known[name] or ticked and name:find("_", 1, true) and not metadata[name]
    if is_field then list[#list + 1] = { name = name, at = at, ticked = ticked } end
  end
  return list
end

local function is_plain_word(mention)
  return not mention.ticked and not mention.name:find("_", 1, true)
end

-- A name after claimed_metrics is a metric's, not a field's.
local function is_metric(mention, list)
  if known[mention.name] then return false end
  for _, other in ipairs(list) do
    if other.name == "claimed_metrics" and other.at < mention.at then return true end
  end
  return false
end

local function is_optional_itself(lower, mention)
  return lower:sub(1, mention.at - 1):find("optional%s+`?$") ~= nil
end

-- Whether a clause asks for a field, by a verb before it or words after it.
local function asks_for(lower, verb, mention)
  if verb and verb < mention.at then return true end
  if is_plain_word(mention) then return false end
  local rest = lower:sub(mention.at)
  return first_of(rest, demanded_after) ~= nil
end

local function mode_of(lower)
  return lower:match("for (%a[%w_]*) mode") or lower:match("in (%a[%w_]*) mode")
    or lower:match("for (%a[%w_]*) tasks")
end

-- What may not be in a patch: "a, b, or c".
local function items_of(text)
  local list = {}
  for part in text:gsub("%s+or%s+", ", "):gsub("%s+and%s+", ", "):gmatch("[^,]+") do
    local item = part:gsub("^%s*or%s+", ""):gsub("^[`%s]+", ""):gsub("[`%s]+$", "")
    if item ~= "" then list[#list + 1] = item end
  end
  return list
end

-- "Do not submit X": X are fields, or things that may not be in the patch.
local function forbidden(clause, add)
  local lower = clause.text:lower()
  if lower:find("sidecar", 1, true) or lower:find("submission.json", 1, true) then return end
  local at, after = lower:find("%f[%a]submit%f[%A]%s*")
  if not at then at, after = lower:find("%f[%a]include%f[%A]%s*") end
  if not at then at, after = lower:find("%f[%a]send%f[%A]%s*") end
  if not at then return end
  local object, place = clause.text:sub(after + 1):match("^(.-)%s+in%s+(.-)[%s.;]*$")
  if place and place:lower():find("patch", 1, true) then
    return add { field = "patch", at = after, kind = "forbidden", items = items_of(object) }
  end
  local condition = condition_of(lower)
  for _, mention in ipairs(mentions(clause.text)) do
    if mention.at > after then
      add { field = mention.name, at = mention.at, condition = condition,
        kind = condition and "optional" or "forbidden" }
    end
  end
end

local function demanded(clause, add)
  local lower = clause.text:lower()
  local condition = condition_of(lower)
  local permitted = first_of(lower, permissions) ~= nil
  local list, verb = mentions(clause.text), first_of(lower, verbs)
  for _, mention in ipairs(list) do
    if asks_for(lower, verb, mention) and not is_metric(mention, list) then
      local soft = condition or permitted or is_optional_itself(lower, mention)
      add { field = mention.name, at = mention.at, condition = condition, mode = mode_of(lower),
        kind = soft and "optional" or "required" }
    elseif permitted and not is_plain_word(mention) then
      add { field = mention.name, at = mention.at, kind = "optional" }
    end
  end
end

-- A list item under "required fields:" names its field before any explanation.
local function listed(clause, kind, add)
  local head = clause.text:match("^(.-)[:(]") or clause.text:match("^(.-)%s+[-\u{2013}\u{2014}]+%s")
    or clause.text
  local lower = clause.text:lower()
  local condition = condition_of(lower)
  for _, mention in ipairs(mentions(head)) do
    if not is_plain_word(mention) or mention.at <= 3 then
      local soft = condition or first_of(lower, permissions) or lower:find("optional", 1, true)
      add { field = mention.name, at = mention.at, condition = condition, mode = mode_of(lower),
        kind = kind == "required" and soft and "optional" or kind }
    end
  end
end

-- What a line that introduces a list says about its items.
local function context_of(block)
  local lower = block.text:lower()
  if block.kind ~= "heading" and not lower:find(":%s*$") then return nil end
  if first_of(lower, prohibitions) or lower:find("forbidden", 1, true) then return "forbidden" end
  if lower:find("optional", 1, true) then return "optional" end
  if lower:find("require", 1, true) or lower:find("must", 1, true)
    or lower:find("what to submit", 1, true) then return "required" end
  return nil
end

-- A table with a column "required": its rows say yes or no. Returns the column for the next row.
local function table_row(block, column, add)
  local cells = blocks.cells(block.text)
  if not column then
    for i, cell in ipairs(cells) do
      if cell:lower() == "required" then return i end
    end
    return nil
  end
  local mention = mentions(cells[1])[1]
  local answer = (cells[column] or ""):lower()
  local condition = condition_of(answer)
  if mention and mention.at <= 3 then
    local is_required = answer:find("^yes") or answer:find("^true") or answer:find("^required")
    add { field = mention.name, at = 1, condition = condition,
      kind = is_required and not condition and "required" or "optional" }
  end
  return column
end

local function read_prose(block, context, adder)
  for _, clause in ipairs(blocks.clauses(block)) do
    local add = adder(block, clause)
    local lower = clause.text:lower()
    if first_of(lower, prohibitions) then
      forbidden(clause, add)
    else
      demanded(clause, add)
      if context and block.kind == "bullet" then listed(clause, context, add) end
    end
  end
end

--- The demands of a text, each {field =, kind = "required"|"optional"|"forbidden", line =, text =,
-- condition = words or nil, mode = of the demand or nil, items = what a patch may not hold}.
-- @param list blocks (bittern.onboard.blocks)
function M.read(list)
  local demands, seen, context, column = {}, {}, nil, nil
  local function adder(block, clause)
    return function(demand)
      local key = demand.field .. " " .. demand.kind .. " " .. (demand.mode or "")
      if seen[key] and not demand.items then return end
      seen[key] = true
      demand.line = blocks.line_at(block, clause.at + demand.at - 1)
      demand.at, demand.text = nil, clause.text:gsub("[%s.;]+$", "")
      demands[#demands + 1] = demand
    end
  end
  for _, block in ipairs(list) do
    if block.kind == "row" then
      column = table_row(block, column, adder(block, { text = block.text, at = 1 }))
    else
      column = nil
      if block.kind ~= "heading" then read_prose(block, context, adder) end
      if block.kind ~= "bullet" then context = context_of(block) end
    end
  end
  return demands
end

return M
