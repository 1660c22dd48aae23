-- How the errors of hotkeys are met: id -> function that meets it and gives the id that came.
local fs = require "core.fs"

local json = require "bittern.json"
local nacl = require "tests.nacl"
local support = require "tests.support"
local wallet = require "bittern.wallet"

local PHRASE <const> = ("abandon "):rep(11) .. "about"
local OTHER <const> = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"

local function written(text)
  local path = support.folder() .. "/file"
  assert(fs.write(path, text, { mode = 0x180 }))
  return path
end

local function opened(path, password)
  local _, _, id = wallet.open { hotkey_file = path, terminal = false,
    password_file = password and written(password) }
  return id
end

local function hotkey(fields)
  return function() return opened(written(assert(json.encode(fields)))) end
end

-- A file whose password takes half a gigabyte to try.
local function encrypted()
  local path = support.folder() .. "/encrypted"
  nacl.encrypt_with(nacl.TESTING, { [path] = json.encode { secretPhrase = PHRASE } })
  return path
end

return {
  key = function() return opened(written "no words at all") end,
  key_address = hotkey { secretPhrase = PHRASE, ss58Address = OTHER },
  key_public_only = hotkey { ss58Address = OTHER },
  key_missing = function() return opened "/nowhere" end,
  key_unreadable = function() return opened "/proc/self/mem" end,
  key_encrypted = function() return opened(encrypted()) end,
  key_password = function() return opened(encrypted(), "\n") end,
  no_memory = function()
    local done = support.run({ "/bin/sh", "-c", 'ulimit -v 300000; exec "$0" --json wallet show '
      .. '--hotkey-file "$1" --password-file "$2"', support.bin, encrypted(), written "testing\n" },
      { env = support.environment(support.folder()) })
    return assert(json.decode(done.stdout), done.stderr).error.id
  end,
}
