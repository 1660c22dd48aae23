---@meta bittern.eval.frontier
-- Generated from lua/eval/frontier.lua by docs/generate.lua (`make docs`); edit there.

--- Size against perplexity: which points nothing else beats. bittern.chart.frontier draws them.
---@class bittern.eval.frontier
local M = {}

--- Marks the points that nothing beats in both size and score: point.frontier = boolean.
---@param points? table array of {bytes, nats or nil where it could not be measured}
---@return any # how many there are.
function M.mark(points) end

return M
