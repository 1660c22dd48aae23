-- What an error says about a POST: it was refused, it never left, or nobody knows.
local M = {}

local kinds = {
  unauthorized = "refused", stake = "refused", conflict = "refused", not_found = "refused",
  rejected = "refused", disclaimer = "refused",
  unreachable = "not_sent", tls = "not_sent", insecure = "not_sent", offline = "not_sent",
  config = "not_sent", key = "not_sent", usage = "not_sent", invalid_json = "not_sent",
}

--- The kind of a failed POST.
-- @param code error id
-- @return "refused" (the coordinator answered no), "not_sent" (it never left this machine) or
--   "unknown" (it may have been carried out: timeouts, broken connections, 5xx, odd answers)
function M.of(code)
  return kinds[code] or "unknown"
end

--- Seconds to wait before each look for what a lost answer left behind.
M.pauses = { 0.3, 1, 2, 4 }

--- Looks again and again until something is found.
-- @param ctx {sleep=, pauses= array of seconds or nil}
-- @param look function() -> thing, false, or nil, message, code
-- @return thing; false when nothing is there; nil, message, code when nobody could be asked
function M.search(ctx, look)
  local found, message, code
  for _, pause in ipairs(ctx.pauses or M.pauses) do
    local slept, why, id = ctx.sleep(pause)
    if not slept then return nil, why, id end
    found, message, code = look()
    if found or code == "interrupted" then break end
  end
  return found, message, code
end

return M
