-- Looks at everything that a run depends on, and says what to do about what is wrong.
local keys = require "bittern.doctor.keys"
local machine = require "bittern.doctor.machine"
local service = require "bittern.doctor.service"

local M = {}

-- In the order in which they are told; the first ones need the network.
local checks <const> = {
  { "coordinator", service.coordinator }, { "clock", service.clock }, { "routes", service.routes },
  { "hotkey", keys.hotkey }, { "hub", keys.hub }, { "disk", machine.disk },
  { "memory", machine.memory }, { "cpu", machine.cpu }, { "libraries", machine.libraries },
  { "proxy", machine.proxy }, { "locale", machine.locale }, { "sandbox", machine.sandbox },
  { "scripts", machine.scripts },
}

--- Every finding.
-- @param ctx a command's context; ctx.args may name a model and a hotkey
-- @return array of {id=, state = "ok"|"warning"|"bad", text=, fix= or nil}
function M.examine(ctx)
  local findings = {}
  for _, check in ipairs(checks) do
    check[2](ctx, function(state, text, fix)
      findings[#findings + 1] = { id = check[1], state = state, text = text, fix = fix }
    end)
  end
  return findings
end

return M
