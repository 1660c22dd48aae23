-- Hotkey files that a password protects: Bittensor's `$NACL`, and by name the ones that are older.
--
--   "$NACL" || nonce (24) || tag (16) || ciphertext
--
-- The key is Argon2i of the password, with one salt for all files. BitSota derives with libsodium's
-- MODERATE limits, btcli with its SENSITIVE ones, and no file says which: the quicker come first.
local keybox = require "core.keybox"

local hex = require "bittern.hex"

local M = {}

local MARK <const> = "$NACL"
local SALT <const> = hex.decode "137183dff15a09bc9c90b5518739e9b1"
local LIMITS <const> = { { passes = 6, memory = 128 << 20 }, { passes = 8, memory = 512 << 20 } }

-- Other tools' files, by their first bytes.
local foreign <const> = {
  ["$ANSIBLE_VAULT"] = "an Ansible vault", gAAAAA = "a Fernet token of Bittensor's first years",
}

-- What one password opens, or nil, message, "key_password".
local function try(box, password)
  local message, code
  for _, limit in ipairs(LIMITS) do
    local key <close>, why, id = keybox.derive(password, SALT, limit.passes, limit.memory)
    if not key then return nil, why, id end
    local plain
    plain, message, code = keybox.open(box, key)
    if plain or code ~= "key_password" then return plain, message, code end
  end
  return nil, message, code
end

local function refuse_foreign(secret)
  for mark, name in pairs(foreign) do
    if secret:find(mark) == 1 then
      return nil, ("is encrypted as %s (%s); decrypt it with btcli, or name its words with "
        .. "--wallet-file"):format(name, mark), "key"
    end
  end
  return true
end

--- The plain text of a file that may be encrypted.
-- @param secret the file's text
-- @param ask function(attempt) -> password, a secret; or nil, message, code: no more of them;
--   nil when nobody knows it
-- @return secret (the same where it was plain), or nil, message, code
function M.open(secret, ask)
  if secret:find(MARK) ~= 1 then
    local ok, message, code = refuse_foreign(secret)
    if not ok then return nil, message, code end
    return secret
  end
  if not ask then return nil, "is encrypted", "key_encrypted" end
  local box = secret:slice(#MARK + 1)
  local failure, id
  for attempt = 1, math.maxinteger do
    local password <close>, why, what = ask(attempt)
    if not password then return nil, why or failure, what or id end
    local plain
    plain, failure, id = try(box, password)
    if plain or id ~= "key_password" then return plain, failure, id end
  end
end

--- Whether a file's text is encrypted.
function M.is(secret)
  return secret:find(MARK) == 1
end

return M
