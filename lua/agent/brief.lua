-- What an agent finds in its workspace: INTRO.md and claim_context.json (contract.md 3.6, 3.7).
local fs = require "core.fs"

local canonical = require "bittern.canonical"
local check = require "bittern.check"

local M = {}

-- JSON for people: sorted keys, two blanks a level.
local function pretty(value, indent)
  if type(value) ~= "table" or next(value) == nil then return assert(canonical.encode(value)) end
  local parts, inner = {}, indent .. "  "
  local is_list = canonical.is_array(value) or #value > 0
  for i, key in ipairs(is_list and value or check.sorted_keys(value)) do
    parts[i] = inner .. (is_list and pretty(key, inner)
      or ("%s: %s"):format(assert(canonical.encode(key)), pretty(value[key], inner)))
  end
  local open, close = is_list and "[" or "{", is_list and "]" or "}"
  return ("%s\n%s\n%s%s"):format(open, table.concat(parts, ",\n"), indent, close)
end

local function context_json(brief)
  return pretty({
    task = brief.task, claim = brief.claim, work_item = brief.work_item or canonical.null,
    idea_candidates = canonical.array(brief.ideas),
  }, "") .. "\n"
end

local function facts(brief)
  local places, task = brief.places, brief.task
  return {
    ("- Task: %s"):format(task.title or task.slug), ("- Task slug: %s"):format(task.slug),
    ("- Task id: %s"):format(task.id), ("- Claim id: %s"):format(brief.claim.id),
    ("- Coordinator: %s"):format(brief.coordinator),
    ("- Repository checkout: %s"):format(places.repo_dir),
    ("- Workspace: %s"):format(places.workspace_dir),
    ("- Sidecar to write: %s"):format(places.submission_path),
    ("- Submission result: %s"):format(places.submission_result_path),
  }
end

local function work_item(item)
  if not item then return {} end
  return { "", "## Work Item", "", ("- Id: %s"):format(item.id),
    ("- Title: %s"):format(tostring(item.title)), "", tostring(item.instructions or "") }
end

local artifact_lines = {
  "- Submission surface: `artifact`. The sidecar must name `artifact_uri` (a public https URL",
  "  that answers 200 itself), `artifact_sha256` and `artifact_size_bytes` of the bytes there.",
  "- Edits of the checkout are optional.",
}
local patch_lines = {
  "- Submission surface: `patch`. The checkout must differ from its commit.",
}

local function contract(brief)
  local lines = { "", "## Workspace Contract", "" }
  local surface = brief.artifact_first and artifact_lines or patch_lines
  table.move(surface, 1, #surface, #lines + 1, lines)
  local allowed = {}
  for i, glob in ipairs(brief.task.allowed_patch_paths) do allowed[i] = ("`%s`"):format(glob) end
  local more = {
    "- The patch is made from your changes in the checkout, of `allowed_patch_paths` only: "
      .. table.concat(allowed, ", ") .. ". Do not commit: validators cannot fetch your commits.",
    ("- The sidecar is a JSON object. Required: `summary` (text), `claimed_metrics` (an object "
      .. "with at least `%s`, measured, never guessed)."):format(brief.task.metric_name),
    "- Optional in it: `proposed_idea` (required in centerless tasks),"
      .. " `implemented_submission_id`, `execution_log`, and the three artifact fields.",
    "- The patch does not go into the sidecar.",
  }
  return table.move(more, 1, #more, #lines + 1, lines)
end

local function authority(brief)
  if not brief.helper then
    return { "", "## Submission Authority", "",
      "You must not submit. Write the files; what you leave behind is checked and submitted after "
        .. "your command has ended with 0. While you work, `bittern submit` is locked." }
  end
  return { "", "## Submission Authority", "",
    "You may submit yourself, once, with this command; it checks everything first, writes the",
    "submission result, and sends nothing twice when it is run again:", "",
    "    " .. brief.helper, "",
    "When your command ends without a submission, the claim is given back." }
end

local function intro(brief, name)
  local lines = { "# " .. name, "" }
  local onboarding = brief.onboarding:find("%S") and brief.onboarding
    or "(The task has no onboarding text.)"
  for _, part in ipairs { facts(brief), { "", "## Task Onboarding", "", onboarding },
    work_item(brief.work_item), contract(brief), authority(brief) } do
    table.move(part, 1, #part, #lines + 1, lines)
  end
  return table.concat(lines, "\n") .. "\n"
end

--- Where everything lies in a workspace.
-- @param folder absolute
-- @param autonomous boolean
-- @return {workspace_dir=, repo_dir=, intro_path=, submission_path=, submission_result_path=}
function M.places(folder, autonomous)
  return {
    workspace_dir = folder, repo_dir = folder .. "/repo",
    intro_path = folder .. (autonomous and "/INTRO.md" or "/INTRO_GUI.md"),
    submission_path = folder .. "/submission.json",
    submission_result_path = folder .. "/submission_result.json",
  }
end

--- Writes the intro and claim_context.json.
-- @param brief {places=, task=, claim=, work_item= or nil, ideas= array, coordinator= URL,
--   onboarding= text, artifact_first=, helper= the command line that submits, nil when the agent
--   may not}
-- @return true, or nil, message, code
function M.write(brief)
  local path = brief.places.intro_path
  local ok, message, code = fs.write(path, intro(brief, path:match("[^/]+$")))
  if not ok then return nil, message, code end
  return fs.write(brief.places.workspace_dir .. "/claim_context.json", context_json(brief))
end

return M
