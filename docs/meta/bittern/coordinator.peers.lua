---@meta bittern.coordinator.peers
-- Generated from lua/coordinator/peers.lua by docs/generate.lua (`make docs`); edit there.

--- Calls of peer evaluation; methods of bittern.coordinator's client.
---@class bittern.coordinator.peers
local M = {}

---@class bittern.coordinator.peers.client
local client = {}

--- Gives one's verdict on a submission of somebody else.
---@param submission_id string a submission's id
---@param evaluation? table {status = "accepted"|"rejected"|"error", observed_metrics=, notes= or nil}
---@return any? # peer evaluation with id, or nil, message, code.
---@return string? message
---@return string? code
function client:peer_evaluate(submission_id, evaluation) end

--- What the peers have agreed on; empty while there is nothing.
---@param submission_id string a submission's id
function client:peer_consensus(submission_id) end

--- Verdicts of peers.
---@param filter? table {submission_id=, evaluator_hotkey=, status=}, all optional
function client:peer_evaluations(filter) end

return M
