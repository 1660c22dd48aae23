-- Encrypted hotkey files, made by PyNaCl, the library that Bittensor's own tools used.
local support = require "tests.support"

local M = {}

-- A key in hexadecimal digits, or "" for BitSota's of the password on stdin; paths and texts.
local ENCRYPT <const> = [==[
import os, sys
from nacl import pwhash, secret
salt, a = bytes.fromhex("137183dff15a09bc9c90b5518739e9b1"), pwhash.argon2i
key = bytes.fromhex(sys.argv[1]) or a.kdf(32, sys.stdin.buffer.read(), salt,
    opslimit=a.OPSLIMIT_MODERATE, memlimit=a.MEMLIMIT_MODERATE)
for path, text in zip(sys.argv[2::2], sys.argv[3::2]):
    box = secret.SecretBox(key).encrypt(text.encode())
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        file.write(b"$NACL" + box)
]==]

--- What btcli's limits make of the password "testing": seconds and half a gigabyte each time.
M.TESTING = "59e56f09281b4b97c4a4421839e63786e28b5c7b7038eac7f24e5483e2d322b9"

local function write(password, key, files)
  local argv = { "/usr/bin/python3", "-c", ENCRYPT, key }
  for path, text in pairs(files) do
    argv[#argv + 1] = path
    argv[#argv + 1] = text
  end
  local done = support.run(argv, { input = password })
  assert(done.status == 0, done.stderr)
end

--- Writes encrypted files with BitSota's limits.
-- @param files {[path] = plain text}
function M.encrypt(password, files)
  write(password, "", files)
end

--- The same with a key that is known already.
-- @param key 64 hexadecimal digits
function M.encrypt_with(key, files)
  write("", key, files)
end

return M
