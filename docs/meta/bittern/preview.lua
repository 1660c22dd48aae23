---@meta bittern.preview
-- Generated from lua/preview.lua by docs/generate.lua (`make docs`); edit there.

--- What `--dry-run` shows: the request that would be sent, to the byte, its signature left out.
---@class bittern.preview
local M = {}

--- A signed request as it would be sent.
---@param client table a coordinator client with a key
---@param request? table {method=, path=, body= text or nil, body_sha256= of a file, content_type=}
---@return table? # {method=, url=, headers={...}, body=}, or nil, message, code.
---@return string? message
---@return string? code
function M.request(client, request) end

--- The request that claims a task.
---@param client table what session.client or coordinator.new gives
---@param task table task record
---@param fields table table, the body
function M.claim(client, task, fields) end

--- The request that claims a work item.
---@param client table what session.client or coordinator.new gives
---@param item table its record
---@param fields table table, the body
function M.claim_work_item(client, item, fields) end

--- The request that submits.
---@param client table what session.client or coordinator.new gives
---@param body table table, as bittern.submit makes it
function M.submission(client, body) end

--- Lines of a request for people.
---@param request table what preview.claim or preview.submission gives
---@return table # array of strings.
function M.lines(request) end

--- Shows one request as the result of a command: lines, or one object with --json.
---@param ctx table a command's context
---@param request table what preview.claim or preview.submission gives
---@return boolean # true.
function M.show(ctx, request) end

--- Shows several requests, or none, as bittern.preview.show shows one.
---@param ctx table context of a command or of a workflow's step
---@param requests table array
function M.show_all(ctx, requests) end

return M
