-- A hotkey that signs in a process of its own (core.signer): the one that talks to the network
-- never has its secret. The child reads the file, asks for a password, and signs requests.
local signer = require "core.signer"
local sr25519 = require "core.sr25519"

local json = require "bittern.json"
local wallet = require "bittern.wallet"

local M = {}

local Key = {}
Key.__index = Key

-- Runs in the child. The text is all that the parent hears of the file.
local function read_key(options)
  local ok, opened, message, code = pcall(wallet.open, options)
  if not ok then return nil, json.encode { raised = tostring(opened) } end
  if not opened then return nil, json.encode { message = message, code = code } end
  return opened.key, json.encode {
    address = opened.address, path = opened.path, warnings = opened.warnings,
  }
end

--- Signs a request.
-- @param message text of bittern.auth.message; the child signs nothing else
-- @return 64 bytes, or nil, message, code
function Key:sign(message)
  return self.signer:sign(message)
end

--- The hotkey's address.
function Key:address()
  return self.ss58
end

--- Its public half.
-- @return 32 bytes
function Key:public()
  return assert(sr25519.public(self.ss58))
end

--- Ends the process that holds the secret.
function Key:close()
  self.signer:close()
end

Key.__close, Key.__gc = Key.close, Key.close

--- Opens the hotkey that the options name, as bittern.wallet.open does, in a child.
-- @param options of bittern.wallet.open
-- @return {key = with sign, address, public and close, address=, path=, warnings= array of text},
--   or nil, message, code
function M.open(options)
  local child, text, code = signer.start(function() return read_key(options) end,
    options.password_fd)
  if not child then return nil, text, code end
  local said = assert(json.decode(text))
  if said.address then
    local key = setmetatable({ signer = child, ss58 = said.address }, Key)
    return { key = key, address = said.address, path = said.path, warnings = said.warnings or {} }
  end
  child:close()
  if said.raised then error(said.raised, 0) end
  return nil, said.message, said.code
end

return M
