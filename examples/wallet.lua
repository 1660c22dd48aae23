-- Writes a new hotkey file and opens it: build/bittern run examples/wallet.lua FILE
local wallet = require "bittern.wallet"

local path = assert(..., "name a file that is not there yet")
local address = assert(wallet.create(path))
print("new", address)

local opened = assert(wallet.open { hotkey_file = path })
print("opened", opened.address, opened.path)
for _, warning in ipairs(opened.warnings) do print("warning: " .. warning) end
opened.key:close()
