-- Calls about the service itself and its rewards; methods of bittern.coordinator's client.
local ask = require "bittern.coordinator.ask"

local Client = {}

--- Whether the service says that it is well: {status = "ok"}.
function Client:health()
  return ask.one(self, "health")
end

--- Whether the service takes requests.
-- @return true, or nil, message, code
function Client:ready()
  local value, message, code = ask.get(self, "ready")
  if value == nil then return nil, message, code end
  return true
end

--- What the coordinator says of its own routes; servers need not have it.
function Client:openapi()
  return ask.one(self, "openapi")
end

--- What one accepts by using the service; `must_display` says that users are to read it.
function Client:disclaimer()
  return ask.one(self, "disclaimer")
end

--- The same as markdown.
function Client:disclaimer_text()
  return ask.get(self, "disclaimer_text")
end

--- The service in numbers.
function Client:dashboard()
  return ask.one(self, "dashboard")
end

--- How the service stands to the chain.
function Client:onchain_status()
  return ask.one(self, "onchain_status")
end

--- Who would be paid what share: `competitions`, each with `miners`.
function Client:reward_snapshot()
  return ask.one(self, "reward_snapshot")
end

--- Rewards for ideas that others built on.
-- @param filter {task_id=, submission_id=, proposer_hotkey=, implementer_hotkey=}, all optional
function Client:idea_rewards(filter)
  return ask.list(self, "idea_rewards", nil, filter)
end

return Client
