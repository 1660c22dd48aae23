-- Signs a request and judges it, as the two ends do: build/bittern run examples/sign.lua
local auth = require "bittern.auth"
local canonical = require "bittern.canonical"
local sr25519 = require "core.sr25519"

local key <close> = assert(sr25519.from_mnemonic(assert(sr25519.generate())))
local body = assert(canonical.encode { claim_description = "manual miner run" })
local request = { method = "POST", path = "/api/v1/tasks/t1/claim", body = body, now = os.time() }
local headers = assert(auth.headers(key, request))
for _, header in ipairs(headers) do print(header) end

request.headers = {}
for _, header in ipairs(headers) do
  local name, value = header:match("^([^:]+): (.*)$")
  request.headers[name:lower()] = value
end
print("signed by", assert(auth.verify(request)))
