-- Calls of peer evaluation; methods of bittern.coordinator's client.
local ask = require "bittern.coordinator.ask"

local Client = {}

--- Gives one's verdict on a submission of somebody else.
-- @param evaluation {status = "accepted"|"rejected"|"error", observed_metrics=, notes= or nil}
-- @return peer evaluation with id, or nil, message, code
function Client:peer_evaluate(submission_id, evaluation)
  return ask.make(self, "peer_evaluate", submission_id, {
    status = evaluation.status, observed_metrics = evaluation.observed_metrics,
    notes = evaluation.notes ~= "" and evaluation.notes or nil,
  })
end

--- What the peers have agreed on; empty while there is nothing.
function Client:peer_consensus(submission_id)
  local consensus, message, code = ask.one(self, "peer_consensus", submission_id)
  if code == "not_found" then return {} end
  return consensus, message, code
end

--- Verdicts of peers.
-- @param filter {submission_id=, evaluator_hotkey=, status=}, all optional
function Client:peer_evaluations(filter)
  return ask.list(self, "peer_evaluations", nil, filter)
end

return Client
