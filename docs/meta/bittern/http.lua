---@meta bittern.http
-- Generated from lua/http.lua by docs/generate.lua (`make docs`); edit there.

--- All network: core.http with this program's defaults; texts and JSON values of services.
---@class bittern.http
local M = {}

--- Set once by the command line.
---@param options table {offline = boolean, ca_file = PEM file of the authorities to trust, nil for the system's}
function M.configure(options) end

--- Seconds since 1970 of an HTTP date, as the headers Date and Retry-After carry it.
---@param text string "Sun, 06 Nov 1994 08:49:37 GMT"
---@return integer? # integer, or nil when it is not such a date.
function M.date(text) end

--- The parts of a URL, as text: nothing is decoded.
---@param url string string
---@return table? # {scheme=, host=, port= integer, path= "/" at least, query= "" where there is none}, or nil, message, "config".
---@return string? message
---@return string? code
function M.split(url) end

--- Form-encodes a query exactly as the reference client does, since signatures cover it.
---@param pairs_list table array of {key, value}: value nil or json.null is dropped, an array repeats the key
---@return string # string, "" when nothing is left.
function M.form(pairs_list) end

--- One request, with core.http's options and these: `headers` may be a function that makes them anew for every try (signatures carry the time); `retry` = true or bittern.retry's options sends again what may be sent again; `offline` refuses, as the command line's --offline does for all requests.
---@param options table table
---@return any? # response {status=, headers=, body=, size=, url=}, or nil, message, code.
---@return string? message
---@return string? code
function M.request(options) end

--- Ranges of remote files, many at once (core.http); refused under --offline.
---@param options table {connect_timeout, speed}
---@return any? # ranges, or nil, message, code.
---@return string? message
---@return string? code
function M.ranges(options) end

--- GET.
---@param url string string
---@param options table as for request
function M.get(url, options) end

--- GET of a text. Statuses from 400 on are failures with the service's own words.
---@param url string string
---@param options table as for request; follows up to five redirects unless it says otherwise
---@return any? # the text, response; or nil, message, code and, when there was one, the response.
---@return string? message
---@return string? code
function M.text(url, options) end

--- A request to a JSON service. Statuses from 400 on are failures with the service's own words.
---@param method string string
---@param url string string
---@param options table as for request; GETs follow up to five redirects unless it says otherwise
---@return any? # the value (json.null for none), response; or nil, message, code and, when there was one, the response with its raw body.
---@return string? message
---@return string? code
function M.json(method, url, options) end

return M
