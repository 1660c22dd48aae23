---@meta bittern.eval.frontier
-- Generated from lua/eval/frontier.lua by docs/generate.lua (`make docs`); edit there.

--- Size against perplexity: which scores of the ledger can be compared, and which of them nothing
--- else beats. bittern.chart.frontier draws them.
---@class bittern.eval.frontier
local M = {}

--- Marks the points that nothing beats in both size and score: point.frontier = boolean.
---@param points? table array of {bytes, nats or nil where it could not be measured}
---@return any # how many there are.
function M.mark(points) end

--- How rows are called beside each other: by their recipes, and by what tells these apart.
---@param rows integer of the ledger's scores, or {recipe=, compression = settings as JSON, model=}
---@return table # array of strings.
function M.labels(rows) end

--- The newest score and all that can be compared with it: the same text, scored in the same way.
---@param rows integer of the ledger's scores, the newest first
---@param text? string SHA-256 of the text, or nil for that of the newest
---@return table # array of points, the smallest first; how many others there are; the newest row.
function M.comparable(rows, text) end

--- Marks the best of those within the budget: point.best, and point.fits where there is a budget.
---@param points table array of {bytes, nats}
---@param budget? core.bytes bytes, or nil
function M.mark_best(points, budget) end

return M
