-- A handler's work in one transaction: only what a good answer tells of is kept.
local memory = require "bittern.practice.memory"

local answer = require "bittern.practice.answer"

--- Runs a part of a handler in a transaction.
-- @param context of the coordinator
-- @param fn function(db, changed) -> response; changed(row) names a submission that is new or other
-- @return the response
return function(context, fn)
  local refusal
  local rows = {}
  local response, message = context.db:transaction(function(db)
    local result = fn(db, function(row) rows[#rows + 1] = row end)
    if answer.is_good(result) then return result end
    refusal = result
    return nil
  end)
  if not response then return refusal or error(message, 0) end
  for _, row in ipairs(rows) do memory.changed(context, row) end
  return response
end
