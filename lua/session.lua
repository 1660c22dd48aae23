-- A command's view of the coordinator: which one, offline or not, and with which hotkey.
local coordinator = require "bittern.coordinator"
local wallet = require "bittern.wallet"

local M = {}

local function filled(text)
  return text and text:find("%S") and text:match("^%s*(.-)%s*$") or nil
end

--- The coordinator's URL: --coordinator, BITSOTA_COORDINATOR_URL, production.
-- @return url, where it comes from
function M.url(ctx)
  local given = filled(ctx.coordinator)
  if given then return given, "--coordinator" end
  given = filled(ctx.env("BITSOTA_COORDINATOR_URL"))
  if given then return given, "BITSOTA_COORDINATOR_URL" end
  return coordinator.PRODUCTION, "default"
end

-- The hotkey of a command; `signed = "optional"` goes on without one, saying so at --verbose.
local function key_of(ctx, signed)
  if not signed then return {} end
  local found, message, code = wallet.from_args(ctx.args, ctx.env)
  if found then
    for _, warning in ipairs(found.warnings or {}) do ctx.report.warn(warning) end
    return found
  end
  if signed == "optional" then
    ctx.report.detail("no hotkey: " .. message)
    return {}
  end
  return nil, message, code
end

--- The coordinator's client for a command.
-- @param ctx a command's context
-- @param options {signed = true | "optional"}: open the wallet that ctx.args names (see
--   wallet.arguments); "optional" goes on without a hotkey
-- @return client (client.address is the hotkey's), or nil, message, code
function M.client(ctx, options)
  local signed = options and options.signed
  local identity, message, code = key_of(ctx, signed)
  if not identity then return nil, message, code end
  local url, source = M.url(ctx)
  local client, why, id = coordinator.new {
    url = url, key = identity.key, offline = ctx.offline, now = ctx.now,
    warn = function(text) ctx.report.warn(ctx.report.clean(text)) end,
  }
  if not client then return nil, source .. ": " .. why, id end
  return client
end

return M
