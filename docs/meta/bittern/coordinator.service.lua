---@meta bittern.coordinator.service
-- Generated from lua/coordinator/service.lua by docs/generate.lua (`make docs`); edit there.

--- Calls about the service itself and its rewards; methods of bittern.coordinator's client.
---@class bittern.coordinator.service
local M = {}

---@class bittern.coordinator.service.client
local client = {}

--- Whether the service says that it is well: {status = "ok"}.
function client:health() end

--- Whether the service takes requests.
---@return boolean? # true, or nil, message, code.
---@return string? message
---@return string? code
function client:ready() end

--- What the coordinator says of its own routes; servers need not have it.
function client:openapi() end

--- What one accepts by using the service; `must_display` says that users are to read it.
function client:disclaimer() end

--- The same as markdown.
function client:disclaimer_text() end

--- The service in numbers.
function client:dashboard() end

--- How the service stands to the chain.
function client:onchain_status() end

--- Who would be paid what share: `competitions`, each with `miners`.
function client:reward_snapshot() end

--- Rewards for ideas that others built on.
---@param filter? table {task_id=, submission_id=, proposer_hotkey=, implementer_hotkey=}, all optional
function client:idea_rewards(filter) end

return M
