-- What an error says about a POST: it was refused, it never left, or nobody knows.
local M = {}

local kinds = {
  unauthorized = "refused", stake = "refused", conflict = "refused", not_found = "refused",
  rejected = "refused", busy = "refused", forbidden = "refused", disclaimer = "refused",
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

return M
