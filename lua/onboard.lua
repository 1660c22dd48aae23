-- A task's onboarding text, read for what it asks: production keeps its requirements there and not
-- in the task JSON (contract.md part 7). Any text parses; what is not understood is not invented.
local blocks = require "bittern.onboard.blocks"
local demands = require "bittern.onboard.demands"
local facts = require "bittern.onboard.facts"
local limits = require "bittern.onboard.limits"

local M = {}

-- Ways in which texts say that the artifact, not the patch, is what counts.
local statements = {
  "artifact is the scoring object", "artifact is what validators score", "artifact%-first",
  "artifact is scored", "scores the artifact", "validators score the artifact",
}

local function artifact_first(list)
  for _, block in ipairs(list) do
    for _, clause in ipairs(blocks.clauses(block)) do
      local lower = clause.text:lower()
      for _, statement in ipairs(statements) do
        local at = lower:find(statement)
        if at and not lower:find("%f[%a]not%f[%A]") then
          return { line = blocks.line_at(block, clause.at + at - 1), text = clause.text }
        end
      end
    end
  end
  return nil
end

local function sections(list)
  local found = {}
  for _, block in ipairs(list) do
    if block.kind == "heading" and block.text ~= "" then
      found[#found + 1] = { title = block.text, level = block.level, line = block.line }
    end
  end
  return found
end

-- Fields that stand in a fence below "required fields" are demands like those of a list.
local function with_fenced(list, said)
  local seen = {}
  for _, demand in ipairs(list) do seen[demand.field] = true end
  for _, fact in ipairs(said) do
    local names = fact.field == "required_submission_fields" and fact.value or {}
    for _, name in ipairs(names) do
      if not seen[name] then
        list[#list + 1] = { field = name, kind = "required", line = fact.line, text = fact.text }
      end
      seen[name] = true
    end
  end
  return list
end

--- Reads an onboarding text.
-- @param text markdown, or anything
-- @return {title =, sections = array of {title, level, line}, demands = see
--   bittern.onboard.demands, facts = see bittern.onboard.facts, limits = see
--   bittern.onboard.limits, artifact_first = {line, text} or nil}
function M.parse(text)
  text = text:gsub("^\u{feff}", "")
  local list = blocks.split(text)
  local headings = sections(list)
  local first = headings[1] and headings[1].title or list[1] and list[1].text or ""
  local said = facts.read(text)
  return {
    title = first, sections = headings, demands = with_fenced(demands.read(list), said),
    limits = limits.read(list), facts = said, artifact_first = artifact_first(list),
  }
end

return M
