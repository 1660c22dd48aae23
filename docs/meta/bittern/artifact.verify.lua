---@meta bittern.artifact.verify
-- Generated from lua/artifact/verify.lua by docs/generate.lua (`make docs`); edit there.

--- Whether an artifact will be accepted, check by check as validators go: the very bytes, the
--- archive, one config.json, a loader, every tensor, the parameters and both size gates.
---@class bittern.artifact.verify
local M = {}

--- Makes every check of an artifact that can be made.
---@param options table {path = file or url = address; size, sha256 = what they must be; budget = rate as budget.rate takes it; contents = false looks at the bytes only; on_progress = for a URL}
---@return table? # {ok, first = the first check that stops, checks = array of {id, state = "pass"|"stop"|"skip", text, code}, path or url, size, sha256, files, matrices, plain, parameters, gates}; or nil, message, code for a budget that is none.
---@return string? message
---@return string? code
function M.checks(options) end

--- Verifies an artifact: what bittern.artifact.verify.checks found, or the first stop.
---@param options table as bittern.artifact.verify.checks
---@return any? # as bittern.artifact.verify.checks, or nil, message, code: "integrity", "redirect", "http_status", "over_budget", "invalid_artifact", "archive_...", "model_...", ...
---@return string? message
---@return string? code
function M.run(options) end

return M
