-- What is known of tasks whose JSON does not say it yet (contract.md part 7): data, one look-up.
-- A task that says it itself is believed first; see bittern.rules.
local M = {}

local artifact_fields <const> = {
  "artifact_uri", "artifact_sha256", "artifact_size_bytes", "summary", "claimed_metrics",
}

local BINARY <const> = { bits_numerator = 21, bits_denominator = 16 }
local TERNARY <const> = { bits_numerator = 177, bits_denominator = 80 }
local QWEN <const> = 27000000000
local TINY <const> = 2428672 -- examples/models/tiny-qwen3

--- The profiles; `slugs` is a pattern in which * stands for any text. The first that fits counts.
M.list = {
  { name = "qwen3-27b-binary-frontier", slugs = "qwen3-27b-binary-frontier", budget = BINARY,
    reference_parameters = QWEN, required = artifact_fields, summary_max = 8000 },
  { name = "qwen3-27b-ternary-frontier", slugs = "qwen3-27b-ternary-frontier", budget = TERNARY,
    reference_parameters = QWEN, required = artifact_fields, summary_max = 8000 },
  { name = "tiny-binary-frontier", slugs = "tiny-*binary*-frontier", budget = BINARY,
    reference_parameters = TINY, required = artifact_fields, summary_max = 8000 },
  { name = "tiny-ternary-frontier", slugs = "tiny-*ternary*-frontier", budget = TERNARY,
    reference_parameters = TINY, required = artifact_fields, summary_max = 8000 },
}

local function pattern_of(slugs)
  return "^" .. slugs:gsub("[%p]", "%%%0"):gsub("%%%*", ".*") .. "$"
end

--- The profile of a task.
-- @param slug string
-- @return profile {name, budget = {bits_numerator, bits_denominator}, reference_parameters,
--   required = array of field names, summary_max}, or nil
function M.find(slug)
  local folded = slug:match("^%s*(.-)%s*$"):lower()
  for _, profile in ipairs(M.list) do
    if folded:find(pattern_of(profile.slugs)) then return profile end
  end
  return nil
end

return M
