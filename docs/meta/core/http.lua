---@meta core.http
-- Generated from core/http.c by docs/generate.lua (`make docs`); edit there.

--- one HTTP request in, one table out, by libcurl. Nothing is re-encoded: the URL, the body and the answer's bytes pass as they are. Any status is a result; only a failed exchange is an error, and its code says whether the server may have seen the request. HTTP/2 where a server offers it over TLS, unless option http2 is false. This file reads options, follows redirects and gives results; http_transfer.c does an exchange. Ranges of files, many at once, are in http_ranges.c.
---@class core.http
local M = {}

---@class core.http.ranges
local ranges = {}

---@param options table {url =, method = "GET", headers = {name = value}, body = bytes, sink = function(chunk) -> true, max_bytes = 16 MiB, timeout = 30 s (0: none), connect_timeout = 10 s, stall_timeout = 30 s, redirects = 0, ca_file = path, allow_http = false, on_progress = function(done, total), http2 = true, fresh = false: over a new connection}
---@return table? # {status, headers, body, size, url} | nil, message, code. Any status is a result.
---@return string? message
---@return string? code
function M.request(options) end

---@param options? table {ca_file=, connect_timeout = 10 s, speed = 0 (bytes a second for all together, 0: no limit)}
---@return core.http.ranges # ranges.
function M.ranges(options) end

---@param options table {url=, path= of a file that is there, first=, last= (inclusive), total= bytes of the remote file, etag= or nil, id = 0, headers=, stall_timeout = 30 s, allow_http = false}
---@return boolean? # true | nil, message, code.
---@return string? message
---@return string? code
function ranges:start(options) end

---@param options table {url=, path=, first=, last=, id = 0, headers=, stall_timeout = 30 s, allow_http = false}
---@return boolean? # true | nil, message, code. A PUT of these bytes of the file.
---@return string? message
---@return string? code
function ranges:send(options) end

---@param seconds number
---@return any? # a range that has ended, or false when none has in that time | nil, message, code.
---@return string? message
---@return string? code
function ranges:step(seconds) end

---@param id? integer integer
---@return integer # integer: bytes moved since the beginning, or of a range that is under way.
function ranges:received(id) end

---@return integer # integer: how many are under way.
function ranges:count() end

--- Ends what is under way and closes the connections.
function ranges:close() end

return M
