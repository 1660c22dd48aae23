-- A hotkey in a process of its own: what goes to the network never has the secret:
-- build/bittern run examples/signer.lua
local fs = require "core.fs"
local sr25519 = require "core.sr25519"
local sys = require "core.sys"

local auth = require "bittern.auth"
local hex = require "bittern.hex"
local signer = require "bittern.wallet.signer"

-- A throwaway key, gone when this ends.
local name = "bittern-example-" .. hex.encode(sys.random(8))
local path = ("%s/%s"):format(os.getenv "TMPDIR" or "/tmp", name)
assert(fs.write(path, hex.encode(sys.random(32)), { mode = 384, exclusive = true }))

local opened = assert(signer.open { hotkey_file = path })
local key <close> = opened.key
assert(fs.remove(path)) -- the child has read it

local request = auth.message {
  method = "POST", path = "/api/v1/claims", timestamp = 1700000000, body_sha256 = auth.EMPTY,
}
local signature = assert(key:sign(request))
print("signed by", opened.address)
print("valid", sr25519.verify(key:public(), request, signature))
print("anything else", select(2, key:sign("the coldkey, please")))
