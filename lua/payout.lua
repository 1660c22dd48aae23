-- The Pool's claim API (contract.md 1.4.14), read only: what a hotkey may claim, epoch by epoch.
-- It is another service than the coordinator; nothing is signed and nothing is claimed from here.
local coordinator = require "bittern.coordinator"
local http = require "bittern.http"

local M = {}

local TIMEOUT <const> = 10
local EPOCHS <const> = 20 -- looked at, the newest first: amounts are cumulative

local hosts = {
  [coordinator.PRODUCTION] = "https://pool.bitsota.com/claims",
  ["https://autoresearch-test.bitsota.com"] = "https://pool-test.bitsota.com/claims",
}

--- The Pool that belongs to a coordinator.
-- @param given URL of the user, or nil
-- @return url, or nil, message, "usage"
function M.url(base, given)
  local url = given or hosts[base]
  if url then return (url:gsub("/+$", "")) end
  return nil, ("no Pool is known for %s: name its claims with --pool URL"):format(base), "usage"
end

local function epochs_of(base)
  local value, message, code = http.json("GET", base .. "/epochs", { timeout = TIMEOUT })
  if value == nil then return nil, message, code end
  local list = {}
  for _, epoch in ipairs(type(value) == "table" and type(value.epochs) == "table" and value.epochs
    or {}) do
    epoch = math.tointeger(tonumber(epoch))
    if epoch and epoch >= 0 then list[#list + 1] = epoch end
  end
  table.sort(list, function(a, b) return a > b end)
  return list
end

-- Amounts may pass 2^53: whole numbers stay whole, texts stay texts.
local function text_of(value)
  if math.type(value) == "integer" then return ("%d"):format(value) end
  return type(value) == "string" and value:find("^%d+$") and value or nil
end

local function claim_of(base, epoch, hotkey)
  local url = ("%s/epoch/%d/claim/%s"):format(base, epoch, hotkey)
  local value, message, code = http.json("GET", url, { timeout = TIMEOUT })
  if code == "not_found" then return false end
  if value == nil then return nil, message, code end
  if type(value) ~= "table" then return nil, url .. " answered no object", "invalid_response" end
  local recipient = value.recipient_coldkey
  return {
    epoch = epoch, hotkey = hotkey, index = math.tointeger(tonumber(value.index)),
    amount_rao = text_of(value.amount) or text_of(value.amount_units),
    recipient = type(recipient) == "string" and recipient or hotkey,
    recipient_is_hotkey = type(recipient) ~= "string",
    root = type(value.root) == "string" and value.root or nil,
    proof = type(value.proof) == "table" and value.proof or nil,
  }
end

--- The newest claim of a hotkey.
-- @param base as M.url
-- @param hotkey address
-- @return {epoch=, amount_rao= digits or nil, recipient=, recipient_is_hotkey=, index=, root=,
--   proof=}; false and how many epochs were looked at; or nil, message, code
function M.newest(base, hotkey)
  local epochs, message, code = epochs_of(base)
  if not epochs then return nil, message, code end
  local looked = 0
  for i = 1, math.min(#epochs, EPOCHS) do
    local claim, why, id = claim_of(base, epochs[i], hotkey)
    if claim == nil then return nil, why, id end
    if claim then return claim end
    looked = i
  end
  return false, looked
end

return M
