-- A POST that is carried out once: `bittern run examples/once.lua [LEDGER]`. This coordinator loses
-- its first answer; the record is found in its list, and nothing is sent again.
local ledgers = require "bittern.ledger"
local once = require "bittern.once"
local sys = require "core.sys"

local stored = {}

local ledger <close> = assert(ledgers.open((...)))
local ctx = {
  client = { base = "https://coordinator.example.org" }, ledger = ledger, hotkey = "5Example",
  sleep = sys.sleep, settle = 5,
}
local post = {
  kind = "claim", subject = ("task-%d"):format(sys.time() // 1),
  body = [[{"claim_description":"a try"}]],
  send = function()
    stored[#stored + 1] = { id = "claim-1", status = "active" }
    return nil, "the connection broke off", "network"
  end,
  look = function() return stored[1] or false end,
}
for _ = 1, 2 do
  local record, how = assert(once.send(ctx, post))
  print(("%s: %s; sent %d time"):format(record.id, how, #stored))
end
