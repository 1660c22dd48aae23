---@meta bittern.publishing
-- Generated from lua/publishing.lua by docs/generate.lua (`make docs`); edit there.

--- Putting an artifact at a URL, and proving that the URL gives those very bytes back.
---@class bittern.publishing
local M = {}

--- Downloads a URL as a validator does (a new connection, HTTP/1.1, no redirects, every byte) and compares.
---@param url string string
---@param artifact table {size=, sha256=}
---@param on_progress? function function(done, total) or nil
---@param redirects any how many are followed, which validators do not
---@return boolean? # true, what the public replay engine would say or nil where it would take the bytes; or nil, message, code ("redirect", "integrity", ...).
---@return string? message
---@return string? code
function M.prove(url, artifact, on_progress, redirects) end

--- The environment's name of a publisher's argument: BITTERN_S3_BUCKET is `bucket` of `s3`.
---@param publisher any its name or path
---@param argument any its name
---@return string # string.
function M.variable(publisher, argument) end

--- A publisher with its arguments.
---@param ctx table {env = function(name) -> value}
---@param name string of the publisher, or a path
---@param set table {argument = text} of the command line
---@return any? # publisher, its arguments, its path; or nil, message, code.
---@return string? message
---@return string? code
function M.find(ctx, name, set) end

--- Publishes a file and proves that it arrived.
---@param ctx table what publishers see: {base= the coordinator's URL, sign= function(request) -> headers, report=, env=, on_progress=, on_check= function(done, total) of the proof}; they see `args` beside
---@param name string of the publisher
---@param artifact table {path=, size=, sha256=}
---@param set table {argument = text} for the publisher
---@return string? # url, what the public replay engine would say or nil where it would take the bytes; or nil, message, code.
---@return string? message
---@return string? code
function M.publish(ctx, name, artifact, set) end

return M
