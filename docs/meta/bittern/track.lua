---@meta bittern.track
-- Generated from lua/track.lua by docs/generate.lua (`make docs`); edit there.

--- Following a submission until it is decided: state changes only, with what the validators noted.
---@class bittern.track
local M = {}

--- The last thing that a validator said, for one line.
---@param detail any what client:detail gives
---@return string # ": what it said", or "".
function M.last_note(detail) end

--- Polls a submission until it is accepted, rejected, in error, or the time is up.
---@param ctx table {client=, report=, sleep=, clock=}
---@param id string of the submission
---@param timeout number seconds
---@return any? # detail record when accepted; else nil, message, "rejected"|"pending"|..., detail or nil.
---@return string? message
---@return string? code
function M.follow(ctx, id, timeout) end

return M
