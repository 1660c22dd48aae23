---@meta bittern.bench
-- Generated from lua/bench.lua by docs/generate.lua (`make docs`); edit there.

--- What a validator would report of a checkout and an artifact: the checks of contract.md 4.3 in
--- their order, stopping at the first that fails.
---@class bittern.bench
local M = {}

--- Runs a task's setup and benchmark in a checkout.
---@param options? table {folder = the checkout, task =, spec = of bittern.patch.spec, patch = text, artifact = path or nil, uri = its address, artifact_required =, baseline = true needs neither, seconds = budget, env = more variables (held-out sources: bench/heldout.lua), datasets = address of the server of rows, sandbox = "bwrap" or nil, clock =, on_stage = function(name, command, seconds left)}
---@return table? # {status = "accepted"|"rejected"|"error"|"none", notes = the validator's words, marker =, explanation =, observed_metrics =, setup_seconds =, benchmark_seconds =, log = text}; or nil, message, code when it could not be run.
---@return string? message
---@return string? code
function M.run(options) end

return M
