---@meta core.httpd
-- Generated from core/httpd.c by docs/generate.lua (`make docs`); edit there.

--- a small HTTP server in the one Lua state, by libmicrohttpd. No threads: step() polls, and a handler is called for each whole request. Bodies are kept in memory up to a limit, then in a file. Written for the practice coordinator, so it listens on loopback unless told otherwise. This file calls handlers; httpd_daemon.c serves the connections.
---@class core.httpd
local M = {}

---@class core.httpd.server
local server = {}

---@param options table {host = "127.0.0.1", port = 0, max_body = 16 MiB, spool = folder for larger bodies, max_spool = 64 GiB, on_error = function(message)}
---@return core.httpd.server? # server | nil, message, code. Port 0 takes one that is free.
---@return string? message
---@return string? code
function M.listen(options) end

---@return integer # integer: the port it listens on.
function server:port() end

---@param handler function function
---@param seconds number
---@return boolean? # true | nil, message, code. Waits at most so long and calls handler({method, path, query, headers, size, body or body_path}) for each whole request; the handler returns {status = 200, headers, body or file = path, offset, size, cut, pace, chunked, drop}.
---@return string? message
---@return string? code
function server:step(handler, seconds) end

--- Stops listening; requests under way are cut off. A handler may not close its own server.
function server:close() end

return M
