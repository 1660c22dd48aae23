-- The practice validator's own hotkey: a keyfile in the coordinator's folder, readable by its
-- owner.
local fs = require "core.fs"
local sr25519 = require "core.sr25519"

local json = require "bittern.json"

local M = {}

--- Loads the key of a folder, made at the first use.
-- @param dir the coordinator's folder
-- @return key, or nil, message, code
function M.load(dir)
  local path = dir .. "/validator-hotkey.json"
  local text, message, code = fs.read(path, 1 << 16)
  if text then
    local file = json.decode(text)
    if type(file) ~= "table" or type(file.secretPhrase) ~= "string" then
      return nil, path .. ": not a keyfile", "key"
    end
    return sr25519.from_mnemonic(file.secretPhrase)
  end
  if code ~= "not_found" then return nil, message, code end
  local words = sr25519.generate()
  local key = assert(sr25519.from_mnemonic(words))
  local file = { ss58Address = key:address(), secretPhrase = words, secretSeed = json.null }
  local made, why, id = fs.write(path, assert(json.encode(file)), { mode = 0x180 })
  if not made then return nil, why, id end
  return key
end

return M
