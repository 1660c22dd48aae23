---@meta bittern.retry
-- Generated from lua/retry.lua by docs/generate.lua (`make docs`); edit there.

--- When a failed request is sent again, and after how long: the one policy for all of them.
---@class bittern.retry
local M = {}

--- Seconds since 1970 of an HTTP date, as the headers Date and Retry-After carry it.
---@param text string "Sun, 06 Nov 1994 08:49:37 GMT"
---@return integer? # integer, or nil when it is not such a date.
function M.date(text) end

--- How long to wait after a failed try, by this module's policy.
---@param try integer number of tries in a row that failed, from 1 on
---@param response table {headers} of the answer; nil where there was none
---@param base any most seconds after the first one; 1 when nil
---@return number # seconds, text to add about what the server wishes.
function M.delay(try, response, base) end

--- Whether a request that may be sent again is worth another try.
---@param failure table {code, status}, as core.http's ranges give it
function M.is_passing(failure) end

--- Calls a request until it succeeds or is not worth another try: full jitter, doubling from `base` to `cap` seconds, at most `tries` times and `total` seconds; the server's Retry-After counts, up to `cap`. What may have reached the server is sent again only if it is idempotent.
---@param attempt function function(try) -> response | nil, message, code, may_repeat; may_repeat = false says that this failure must not be repeated
---@param options table {idempotent=false, tries=6, base=1, cap=60, total=180}; clock, now, sleep, random and say replace the world's
---@return any # what the last attempt returned.
function M.run(attempt, options) end

return M
