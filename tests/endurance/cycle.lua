-- A cycle of `bittern loop` in the endurance test: a claim, then a submission of an artifact of its
-- own. Run again after a failure it goes on where it was, as a miner does.
local fs = require "core.fs"
local process = require "core.process"
local sys = require "core.sys"

local torture = require "tests.torture.torture"

local cycle, home, url = ...
local claim_file = ("%s/claim-%s"):format(home, cycle)

-- Exit code and stdout of a command that speaks to the coordinator.
local function bittern(...)
  local done = assert(process.run {
    argv = { sys.exe(), "--coordinator", url, "--quiet", ..., }, timeout = 120,
  })
  if done.stderr ~= "" then io.stderr:write(done.stderr) end
  return done.status or 1, done.stdout
end

local SLUG <const> = "tiny-binary-frontier"
local mine <const> = { "--settle", "1", "--hotkey-file", home .. "/hotkey" }

local claim = fs.read(claim_file)
if not claim then
  local status, printed = bittern("claim", SLUG, table.unpack(mine))
  if status ~= 0 then return status end
  claim = printed:match "%S+"
  assert(fs.write(claim_file, claim))
end
local sidecar = torture.sidecar(home, url, "cycle-" .. cycle)
return (bittern("submit", SLUG, "--submission", sidecar, "--claim", claim, table.unpack(mine)))
