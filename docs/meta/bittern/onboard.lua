---@meta bittern.onboard
-- Generated from lua/onboard.lua by docs/generate.lua (`make docs`); edit there.

--- A task's onboarding text, read for what it asks: production keeps its requirements there and not
--- in the task JSON (contract.md part 7). Any text parses; what is not understood is not invented.
---@class bittern.onboard
local M = {}

--- Reads an onboarding text.
---@param text string markdown, or anything
---@return table? # {title =, sections = array of {title, level, line}, demands = see bittern.onboard.demands, facts = see bittern.onboard.facts, limits = see bittern.onboard.limits, artifact_first = {line, text} or nil}.
function M.parse(text) end

return M
