---@meta bittern.download
-- Generated from lua/download.lua by docs/generate.lua (`make docs`); edit there.

--- Downloads: parts of one or several files at once, hashed while they arrive, resumed where they
--- stopped, and accepted by their hash.
---@class bittern.download
local M = {}

--- Downloads files.
---@param files table array of {url, path = where to, size, sha256, headers}; size, sha256 (64 digits) and headers (lines for the URL's own host) may be nil
---@param options table {parallel = 8 ranges at once, part = most bytes of a piece (16 MiB), speed = 0 (bytes a second in all, 0: no limit), pause = 1 s before the second try of a piece, doubled for each further one, stall = 30 s without a byte, on_progress = function(done, total), say = function(text)}
---@return table? # array of {path, url, size, sha256, verified, resumed} in the order in which they were finished, or nil, message, code. What arrived stays in `<path>.part`, and the same call goes on from there.
---@return string? message
---@return string? code
function M.run(files, options) end

return M
