-- Numbers and texts as they are signed: build/bittern run examples/numbers.lua
-- What json.dumps(sort_keys=True, separators=(",", ":")) gives in Python, to the last byte.
local number = require "core.number"

local base64 = require "bittern.base64"
local canonical = require "bittern.canonical"
local hex = require "bittern.hex"
local json = require "bittern.json"

for _, value in ipairs { 0.1, 1e-7, 1e16, 2.0 ^ 53 + 2, -0.0, 5e-324 } do
  print(("%-24s %s"):format(("%.17g"):format(value), number.text(value)))
end

local body = { summary = "größer", size = 9007199254740993, ratio = 0.1, tags = json.array {} }
print(assert(canonical.encode(body)))

-- What reads it keeps integers and floats apart, and refuses a key that comes twice.
local list = assert(canonical.decode "[1,1.0]")
print(math.type(list[1]), math.type(list[2]))
print(canonical.decode('{"a":1,"a":2}'))

print(hex.encode "bits", assert(hex.decode "62697473"), base64.encode "bits")
