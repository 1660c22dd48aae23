-- The coordinator's client (contract.md Part 1): one function a route, signed where it must be,
-- and tolerant of what servers really answer. Every call returns its value, or nil, message, code.
-- The calls stand in bittern.coordinator.{tasks,mining,peers,service,validating}, their routes in
-- bittern.coordinator.routes, their records in bittern.coordinator.records.
local ask = require "bittern.coordinator.ask"
local channel = require "bittern.coordinator.channel"
local mining = require "bittern.coordinator.mining"
local peers = require "bittern.coordinator.peers"
local service = require "bittern.coordinator.service"
local tasks = require "bittern.coordinator.tasks"
local validating = require "bittern.coordinator.validating"

local M = {}

--- Where production is.
M.PRODUCTION = "https://autoresearch.bitsota.com"

local Client = { __name = "coordinator" }
Client.__index = Client
for _, methods in ipairs { mining, peers, service, tasks, validating } do
  ask.extend(Client, methods)
end

--- A client.
-- @param options {url=, key= to sign with, offline= refuse the network, now= clock in seconds,
--   warn= function(text), transport= what bittern.http is, retry= bittern.retry's options for GETs
--   (quick by default), timeout=30 s}
-- @return client, or nil, message, "config"
-- @usage examples/coordinator.lua
function M.new(options)
  local self, message, code = channel.open(options)
  if not self then return nil, message, code end
  self.address = self.key and self.key:address()
  return setmetatable(self, Client)
end

return M
