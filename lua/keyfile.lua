-- What may stand in a hotkey file, and the key it means (bittensor's keyfiles, plain ones).
-- Messages name what is wrong and never quote the file: it holds a secret.
local sr25519 = require "core.sr25519"

local canonical = require "bittern.canonical"
local hex = require "bittern.hex"

local M = {}

-- Encrypted files, told apart by their first bytes.
local encrypted = { "$NACL", "$ANSIBLE_VAULT", "gAAAAA" }

local function trim(text)
  return text:match("^%s*(.-)%s*$")
end

-- Bytes of `count` hexadecimal digits, with or without 0x.
local function hex_bytes(text, count)
  if type(text) ~= "string" then return nil end
  text = trim(text)
  local digits = text:match("^0x(%x+)$") or text:match("^%x+$")
  return digits and #digits == count and hex.decode(digits) or nil
end

-- A field that says something; older writers put null, or "".
local function present(value)
  if value == nil or value == canonical.null or value == "" then return nil end
  return value
end

local function from_phrase(phrase)
  if type(phrase) ~= "string" then return nil, "secretPhrase is not text", "key" end
  return sr25519.from_mnemonic(phrase)
end

local function from_seed(seed)
  local bytes = hex_bytes(seed, 64)
  if not bytes then return nil, "secretSeed is not 32 bytes of hexadecimal digits", "key" end
  return sr25519.from_seed(bytes)
end

local function from_private(private)
  local bytes = hex_bytes(private, 128)
  if not bytes then return nil, "privateKey is not 64 bytes of hexadecimal digits", "key" end
  return sr25519.from_private(bytes)
end

-- In the order in which Bittensor's own tools prefer them.
local secrets = {
  { "secretPhrase", from_phrase }, { "secretSeed", from_seed }, { "privateKey", from_private },
}

-- Why a keyfile is of a kind that this version cannot use, or nil.
local function unusable(file)
  if file.encoded ~= nil and file.encoding ~= nil then
    return "is a polkadot.js export, not a Bittensor hotkey file; recover the hotkey from its "
      .. "mnemonic"
  end
  if present(file.hashedDescriptor) then return "is an account of a kind that is not known here" end
  local kind = present(file.cryptoType)
  if kind == 0 or kind == "0" then return "is an ed25519 key; signing takes sr25519" end
  if kind and kind ~= 1 and kind ~= "1" then return "has a cryptoType that is not sr25519" end
  return nil
end

local function stored_address(file)
  return present(file.ss58Address) or present(file[" ss58Address"])
end

-- A secret that is not the address's would sign for somebody else.
local function agree(key, file)
  local address = stored_address(file)
  if address and address ~= key:address() then
    return nil, ("its secret is that of %s, its ss58Address is %s"):format(key:address(),
      type(address) == "string" and sr25519.public(address) and address or "no address")
  end
  for _, name in ipairs { "publicKey", "accountId" } do
    local stored = present(file[name])
    if stored and hex_bytes(stored, 64) ~= key:public() then
      return nil, ("its secret is that of %s, its %s is another's"):format(key:address(), name)
    end
  end
  return true
end

local function without_secret(file)
  local address = stored_address(file)
  if type(address) == "string" and sr25519.public(address) then
    return nil, "holds the public half of " .. address .. " only", "key_public_only"
  end
  return nil, "holds no key", "key"
end

local function from_table(file)
  local reason = unusable(file)
  if reason then return nil, reason, "key" end
  for _, secret in ipairs(secrets) do
    local value = present(file[secret[1]])
    if value then
      local key, message, code = secret[2](value)
      if not key then return nil, message, code end
      local same, why = agree(key, file)
      if same then return key end
      key:close()
      return nil, why, "key_address"
    end
  end
  return without_secret(file)
end

local function from_json(text)
  local file, message = canonical.decode(text)
  local at = message and message:match("^%d+:%d+")
  if not file then return nil, "is not proper JSON at line:column " .. (at or "1:1"), "key" end
  return from_table(file)
end

-- A file with two phrases could read as one of 24 words: one time in 256.
local function several(text)
  local count = 0
  for line in text:gmatch("[^\r\n]+") do
    if sr25519.check_mnemonic(line) then count = count + 1 end
  end
  return count > 1
end

local function refuse_encrypted(text)
  for _, prefix in ipairs(encrypted) do
    if text:sub(1, #prefix) == prefix then
      return nil, ("is encrypted (%s); encrypted hotkey files come with a later version; decrypt "
        .. "it with btcli, or name its words with --mnemonic-file"):format(prefix), "key"
    end
  end
  return true
end

--- The key of a file that holds a mnemonic, or that is a hotkey file of JSON.
-- @param text the file's
-- @return key, or nil, message that does not name the file, code
function M.read_mnemonic(text)
  local plain, message, code = refuse_encrypted(text)
  if not plain then return nil, message, code end
  if text:find("^%s*{") then return from_json(text) end
  if several(text) then return nil, "holds several mnemonics; leave one", "key" end
  return sr25519.from_mnemonic(text)
end

--- The key of a hotkey file: Bittensor's JSON, or just a seed, a private key or a mnemonic.
-- @param text the file's
-- @return key, or nil, message that does not name the file, code
function M.read(text)
  local plain, message, code = refuse_encrypted(text)
  if not plain then return nil, message, code end
  if hex_bytes(text, 64) then return from_seed(text) end
  if hex_bytes(text, 128) then return from_private(text) end
  if not text:find("%S") then return nil, "is empty", "key" end
  if text:find("^%s*{") or text:find("^[%a%s]+$") then return M.read_mnemonic(text) end
  return nil, "is no hotkey file", "key"
end

local function prefixed(bytes)
  return "0x" .. hex.encode(bytes)
end

--- The text of a hotkey file, as Bittensor's tools read it.
-- @param key of core.sr25519
-- @param mnemonic the words it comes from
function M.text(key, mnemonic)
  local public = prefixed(key:public())
  return assert(canonical.encode {
    accountId = public, publicKey = public, ss58Address = key:address(), cryptoType = 1,
    secretPhrase = mnemonic, secretSeed = canonical.null,
  })
end

return M
