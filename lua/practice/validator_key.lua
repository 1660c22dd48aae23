-- The practice validator's own hotkey: a keyfile in the coordinator's folder, for its owner only.
local fs = require "core.fs"
local keybox = require "core.keybox"
local sr25519 = require "core.sr25519"

local keyfile = require "bittern.keyfile"

local M = {}

--- Loads the key of a folder, made at the first use.
-- @param dir the coordinator's folder
-- @return key, or nil, message, code
function M.load(dir)
  local path = dir .. "/validator-hotkey.json"
  local text <close>, message, code = keybox.read(path)
  if text then
    local key, why, id = keyfile.read(text)
    if not key then return nil, path .. ": " .. why, id end
    return key
  end
  if code ~= "not_found" then return nil, message, code end
  local words <close> = assert(sr25519.generate())
  local key = assert(sr25519.from_mnemonic(words))
  local content <close> = assert(keyfile.text(key, words))
  local made, why, id = fs.write(path, content, { mode = 0x180 })
  if not made then return nil, why, id end
  return key
end

return M
