---@meta bittern.rules.rank
-- Generated from lua/rules/rank.lua by docs/generate.lua (`make docs`); edit there.

--- Who becomes best (contract.md 5.4). A scalar task compares one metric, and perplexities with a
--- band of 0.02 nats in which the smaller model wins; a pareto task compares two. What no document
--- says are arguments of the mode: M.args, with what is chosen here and what else it might be.
---@class bittern.rules.rank
local M = {}

--- Arguments of a mode that ranks by bittern.rules.rank.accept; a practice task sets them in its `mode_args`.
M.args = nil

--- Whether a verified result becomes the best of its task.
---@param result table {observed_metrics = {name = number}, artifact_size_bytes = integer}
---@param best? any the same of the present best, or nil when there is none; its `anchor` is the result that last won by more than the band, where that is known
---@param task table with metric_name and metric_direction, and the secondary ones of a pareto task
---@param args? table as bittern.rules.rank.args, or nil for its defaults
---@return boolean # boolean, reason for people, "size" when a smaller size won inside the band.
function M.accept(result, best, task, args) end

return M
