---@meta bittern.workflow
-- Generated from lua/workflow.lua by docs/generate.lua (`make docs`); edit there.

--- Drives the steps of a workflow: one after the other, recorded, resumed by running it again.
--- 
--- A step that is done is not done again while its inputs are the same and its files still hold
--- the recorded bytes. `inputs` says what a step's result depends on; a step without it depends
--- on every setting and on all steps before it. A step that is `always` runs every time. A step
--- with a `preview` changes the world outside: a dry run calls the preview instead, and records
--- nothing of it.
---@class bittern.workflow
local M = {}

--- Checks the steps of a loaded workflow.
---@param script table table of a workflow script
---@param path string of its file, for messages
---@return boolean? # true, or nil, message, "script".
---@return string? message
---@return string? code
function M.check(script, path) end

--- Runs the steps in order and ends with what each of them gave. A step is called with ctx, the results so far by name, and what it gave the last time or nil.
---@param script any a workflow script; examples/workflows/rehearse.lua is one
---@param ctx table what steps see: at least ledger, run, report, settings; dry_run = true to preview
---@return table? # {step name = result}, or nil, message, code of the step that failed.
---@return string? message
---@return string? code
function M.run(script, ctx) end

--- What the steps of a run gave, as recorded.
---@param script any a loaded workflow
---@param ledger any an open one
---@param run integer id of a run in the ledger
---@return table? # {step name = result}, or nil, message, code.
---@return string? message
---@return string? code
function M.recorded(script, ledger, run) end

--- The run that a command continues, or a new one. A run that has ended is not done again when the same is asked for: it is given back as it ended.
---@param ledger any an open ledger
---@param key table {workflow=, slug=, coordinator=, hotkey=}
---@param settings table table that JSON can hold: what is asked for
---@param restart boolean true starts anew in any case
---@return any? # run and "new", "continued" or "ended"; or nil, message, code.
---@return string? message
---@return string? code
function M.begin(ledger, key, settings, restart) end

return M
