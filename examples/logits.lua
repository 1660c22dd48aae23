-- How far one set of logits is from another: build/bittern run examples/logits.lua
local buffer = require "core.buffer"
local logits = require "core.logits"

-- Two tokens, a vocabulary of two: what is said at the first about the second.
local function certain(by)
  local values = buffer.new("f32", 4)
  values:set(0, by)
  return values
end

local tokens = buffer.from_bytes("\0\0")
local seen = assert(logits.compare(tokens, certain(2), certain(0.5), 2))
local says <const> = "costs %.4f nats, %.4f by the reference; divergence %.4f; same best: %s"
print(says:format(seen.other:get(0), seen.reference:get(0), seen.divergence:get(0),
  seen.agree:get(0) == 1))
