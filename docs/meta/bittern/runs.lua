---@meta bittern.runs
-- Generated from lua/runs.lua by docs/generate.lua (`make docs`); edit there.

--- What becomes of the unfinished run of a task: continued, or abandoned with its claim given back.
---@class bittern.runs
local M = {}

--- Whether a submission of the ledger may have reached the coordinator.
---@param row table a row of the ledger
function M.may_be_out(row) end

--- Ends an unfinished run and gives its claim back, once it is known what became of its submission.
---@param open any as once.send takes it
---@param run integer of the ledger
---@return any? # run and the claim that was given back or nil; or nil, message, code.
---@return string? message
---@return string? code
function M.abandon(open, run) end

--- Makes way for a run: abandons the unfinished one when that is asked for. Other settings cannot change what was sent, and nothing new begins before it is known what became of it.
---@param open any as once.send takes it, with key= (see Ledger:last_run)
---@param restart boolean boolean
---@param settings any of the new run
---@return boolean? # true, or nil, message, code.
---@return string? message
---@return string? code
function M.prepare(open, restart, settings) end

return M
