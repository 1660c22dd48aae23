-- bittern.keyfile, its $NACL box too: the key that a password gives is always the same here, since
-- Argon2 takes half a second.
local keybox = require "core.keybox"
local sr25519 = require "core.sr25519"

local keyfile = require "bittern.keyfile"
local outcome = require "tests.fuzz.outcome"

local LONGEST_DIGITS <const> = 32 -- of a word that is no secret

local function derive()
  return keybox.join { ("k"):rep(32) }
end

local function ask(attempt)
  if attempt == 1 then return keybox.join { "a password" } end
  return nil
end

-- No message quotes what may be a key.
local function check_message(message, bytes)
  for digits in bytes:gmatch("%x+") do
    assert(#digits < LONGEST_DIGITS or not message:find(digits, 1, true), "quotes the file")
  end
end

local function judge(bytes, key, message, code)
  if not key then
    check_message(message, bytes)
    return outcome.refused(message, code)
  end
  assert(sr25519.public(key:address()) == key:public())
  key:close()
  return "read"
end

local function read(bytes)
  local text <close> = keybox.join { bytes }
  local glance = keyfile.glance(text)
  assert(glance.kind == "encrypted" or glance.kind == "public" or glance.kind == "plain")
  judge(bytes, keyfile.search(text, ask))
  return judge(bytes, keyfile.read(text, ask))
end

return function(bytes)
  local slow = keybox.derive
  keybox.derive = derive
  local result = read(bytes)
  keybox.derive = slow
  return result
end
