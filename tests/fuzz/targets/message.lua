-- Messages of a sandboxed child: any bytes are a table or nothing, and what is read can be sent.
local message = require "bittern.sandbox.message"
local outcome = require "tests.fuzz.outcome"

return function(bytes)
  local value = message.decode(bytes)
  if value == nil then return "refused" end
  assert(type(value) == "table", "not a table")
  assert(outcome.same(value, message.decode(message.encode(value))), "sent as something else")
  return "read"
end
