-- What may stand in a hotkey file, and the key it means (Bittensor's, plain and encrypted ones).
-- Secrets stay in locked memory; messages name what is wrong and never quote the file.
local keybox = require "core.keybox"
local sr25519 = require "core.sr25519"

local canonical = require "bittern.canonical"
local encrypted = require "bittern.keyfile.encrypted"
local fields = require "bittern.keyfile.fields"
local hex = require "bittern.hex"
local search = require "bittern.keyfile.search"

local M = {}

local MARGIN <const> = 64 -- bytes in which JSON begins
local ED25519 <const> = "is an ed25519 key; signing takes sr25519"

-- A field that says something; older writers put null, or "".
local function present(value)
  if value == nil or fields.is_text(value) and #value == 0 then return nil end
  return value
end

-- The bytes of a secret in hexadecimal digits, or nil.
local function hex_bytes(value, count)
  return fields.is_text(value) and value:hex(count) or nil
end

-- A key, and the seed it comes from; or nil, message, code.
local function from_seed_bytes(seed)
  local key, message, code = sr25519.from_seed(seed)
  if not key then return nil, message, code end
  return key, seed
end

local function from_phrase(phrase)
  if not fields.is_text(phrase) then return nil, "secretPhrase is not text", "key" end
  local words <close>, message, code = phrase:unescape()
  if not words then return nil, "secretPhrase: " .. message, code end
  local seed, why, id = sr25519.seed(words)
  if not seed then return nil, why, id end
  return from_seed_bytes(seed)
end

local function from_seed(seed)
  local bytes = hex_bytes(seed, 32)
  if not bytes then return nil, "secretSeed is not 32 bytes of hexadecimal digits", "key" end
  return from_seed_bytes(bytes)
end

local function from_private(private)
  local bytes <close> = hex_bytes(private, 64)
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
  if kind == nil then return nil end
  kind = fields.public(kind)
  if kind == "0" then return ED25519 end
  if kind ~= "1" then return "has a cryptoType that is not sr25519" end
  return nil
end

-- The address that a file names, or nil; "" for what is no address.
local function stored_address(file)
  local stored = present(file.ss58Address) or present(file[" ss58Address"])
  local address = stored and fields.public(stored)
  if address and sr25519.public(address) then return address end
  return stored and ""
end

-- A secret that is not the address's would sign for somebody else.
local function agree(key, file)
  local address = stored_address(file)
  if address and address ~= key:address() then
    return nil, ("its secret is that of %s, its ss58Address is %s"):format(key:address(),
      address == "" and "no address" or address)
  end
  for _, name in ipairs { "publicKey", "accountId" } do
    local stored = present(file[name])
    local bytes <close> = hex_bytes(stored, 32)
    if stored and not (bytes and bytes:text() == key:public()) then
      return nil, ("its secret is that of %s, its %s is another's"):format(key:address(), name)
    end
  end
  return true
end

-- The key, when it is the one that its file says it is. Its seed, where it has one, may be that of
-- the file's address with another type of key, which older files do not name.
local function agreed(key, file, seed)
  local same, why = agree(key, file)
  if same then return key end
  key:close()
  if seed and stored_address(file) == sr25519.address(sr25519.ed25519(seed)) then
    return nil, ED25519, "key"
  end
  return nil, why, "key_address"
end

local function without_secret(file)
  local address = stored_address(file)
  if address and address ~= "" then
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
      local key, seed, code = secret[2](value)
      if not key then return nil, seed, code end
      local bytes <close> = seed
      return agreed(key, file, bytes)
    end
  end
  return without_secret(file)
end

local function from_json(text)
  local file, message, code = fields.read(text)
  if not file then return nil, message, code end
  return from_table(file)
end

-- Whether the first byte that is no white space opens an object.
local function looks_like_json(text)
  local brace = text:find("{")
  return brace ~= nil and brace <= MARGIN and text:text(1, brace - 1):find("%S") == nil
end

-- A seed, a private key or a mnemonic and nothing else.
local function from_bare(text)
  local seed <close> = text:hex(32)
  if seed then return sr25519.from_seed(seed) end
  local private <close> = text:hex(64)
  if private then return sr25519.from_private(private) end
  local words <close> = text:words()
  if words and #words == 0 then return nil, "holds no key", "key" end
  local single, message, code = search.is_single(text)
  if not single then return nil, message, code end
  return sr25519.from_mnemonic(text)
end

-- Opens a file that may be encrypted, and reads what is in it.
local function opened(text, ask, read)
  local plain, message, code = encrypted.open(text, ask)
  if not plain then return nil, message, code end
  local key, why, id = read(plain)
  if plain ~= text then plain:close() end
  return key, why, id
end

--- The key of a hotkey file: Bittensor's JSON, or just a seed, a private key or a mnemonic.
-- @param text the file's, a secret of core.keybox
-- @param ask function(attempt) -> the file's password, see bittern.password; nil: nobody knows it
-- @return key, or nil, message that does not name the file, code
function M.read(text, ask)
  return opened(text, ask, function(plain)
    return (looks_like_json(plain) and from_json or from_bare)(plain)
  end)
end

--- The key of any text that holds one mnemonic, found as the reference client finds it.
-- @param text the file's, a secret of core.keybox
-- @param ask as for M.read
-- @return key, or nil, message that does not name the file, code
function M.search(text, ask)
  return opened(text, ask, function(plain)
    local file = fields.read(plain)
    local is_object = type(file) == "table"
    local key, message, code = search.find(plain, file)
    if key and is_object then return agreed(key, file) end
    if key or message then return key, message, code end
    if is_object then return from_table(file) end
    local words <close> = plain:words()
    local _, why = sr25519.check_mnemonic(words or plain)
    return nil, "holds no mnemonic: " .. why, "key"
  end)
end

--- What a hotkey file shows without its secret, which stays shut.
-- @param text the file's, a secret of core.keybox
-- @return {kind = "encrypted", "public" or "plain", address= or nil}
function M.glance(text)
  if encrypted.is(text) then return { kind = "encrypted" } end
  local file = looks_like_json(text) and fields.read(text)
  if type(file) ~= "table" then return { kind = "plain" } end
  local address, kind = stored_address(file), "public"
  for _, secret in ipairs(secrets) do
    if present(file[secret[1]]) then kind = "plain" end
  end
  return { kind = kind, address = address ~= "" and address or nil }
end

local function prefixed(bytes)
  return "0x" .. hex.encode(bytes)
end

--- The text of a hotkey file, as Bittensor's tools read it.
-- @param key of core.sr25519
-- @param mnemonic the words it comes from, a secret
-- @return secret, or nil, message, code
function M.text(key, mnemonic)
  local public = prefixed(key:public())
  local text = assert(canonical.encode {
    accountId = public, publicKey = public, ss58Address = key:address(), cryptoType = 1,
    secretPhrase = "?", secretSeed = canonical.null,
  })
  local before, after = text:match("^(.*)%?(.*)$")
  return keybox.join { before, mnemonic, after }
end

return M
