---@meta bittern.gate
-- Generated from lua/gate.lua by docs/generate.lua (`make docs`); edit there.

--- The verdict over all rules: PASS or STOP, with reasons.
---@class bittern.gate
local M = {}

--- Judges a submission.
---@param rules any from rules.merge
---@param submission table table as it will be sent
---@param task table normalized
---@param world table {hotkey=, artifact = {size, sha256, parameter_count}, submissions = prior ones, url_check = {ok, reason}, decided = {field = true}, draft = true for a sidecar before its claim, patch and base_ref}
---@return table # {verdict = "PASS"|"STOP", results = array of {id, ok, skipped, reason, source, about}}.
function M.judge(rules, submission, task, world) end

--- Judges what needs no submission: the task's state, its mode, contradictions.
---@param rules table array, as rules.of_task gives them
---@param task table a task's record
---@param world table {decided = see bittern.rules.contradictions}
---@return any # as bittern.gate.judge.
function M.early(rules, task, world) end

--- The results that stop a submission.
---@param judged any what bittern.gate.judge gives
---@return table # array of results that are not ok.
function M.failures(judged) end

--- The verdict as lines for people: what stops first, with source and reason.
---@param judged any from bittern.gate.judge
---@param clean function function(text) that makes outside text safe (report.clean)
---@param options table {all = true: list what passes, too}
---@return table # array of strings.
function M.lines(judged, clean, options) end

return M
