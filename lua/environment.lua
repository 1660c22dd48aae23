-- Variables in which other tools keep the secrets of keys: nothing here reads them, and what is
-- started from here does not inherit them.
local sys = require "core.sys"

local M = {}

-- Bittensor's passwords (BT_PW_<PATH>, BT_COLD_PW_<NAME>, BT_HOT_PW_<NAME>), and what people name
-- the words and seeds of their keys.
local SECRET <const> = {
  "^BT_PW_", "^BT_COLD_PW_", "^BT_HOT_PW_", "MNEMONIC", "SECRET_?PHRASE", "SEED_?PHRASE",
  "SECRET_?SEED", "HOTKEY_SEED", "COLDKEY_SEED", "PRIVATE_?KEY",
}

--- Whether a variable of this name holds the secret of a key.
function M.is_secret(name)
  for _, pattern in ipairs(SECRET) do
    if name:upper():find(pattern) then return true end
  end
  return false
end

--- Forgets them.
function M.scrub()
  for _, name in ipairs(sys.variables()) do
    if M.is_secret(name) then sys.unset(name) end
  end
end

return M
