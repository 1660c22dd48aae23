---@meta bittern.coordinator
-- Generated from lua/coordinator.lua by docs/generate.lua (`make docs`); edit there.

--- The coordinator's client (contract.md Part 1): one function a route, signed where it must be,
--- and tolerant of what servers really answer. Every call returns its value, or nil, message, code.
--- The calls stand in bittern.coordinator.{tasks,mining,peers,service,validating}, their routes in
--- bittern.coordinator.routes, their records in bittern.coordinator.records.
---@class bittern.coordinator
local M = {}

--- Where production is.
M.PRODUCTION = nil

--- A client.
---@param options table {url=, key= to sign with, offline= refuse the network, now= clock in seconds, warn= function(text), transport= what bittern.http is, retry= bittern.retry's options for GETs (quick by default), timeout=30 s}
---@return any? # client, or nil, message, "config".
---@return string? message
---@return string? code
function M.new(options) end

return M
