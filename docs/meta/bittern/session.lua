---@meta bittern.session
-- Generated from lua/session.lua by docs/generate.lua (`make docs`); edit there.

--- A command's view of the coordinator: which one, offline or not, and with which hotkey.
---@class bittern.session
local M = {}

--- The coordinator's URL: --coordinator, BITSOTA_COORDINATOR_URL, production.
---@param ctx table context of a command or of a workflow's step
---@return string # url, where it comes from.
function M.url(ctx) end

--- The coordinator's client for a command.
---@param ctx table a command's context
---@param options? table {signed = true | "optional"}: open the wallet that ctx.args names (see wallet.arguments); "optional" goes on without a hotkey when ctx.args names none
---@return any? # client (client.address is the hotkey's), or nil, message, code.
---@return string? message
---@return string? code
function M.client(ctx, options) end

--- The client and the live task that ctx.args.slug names.
---@param ctx table context of a command or of a workflow's step
---@param options table as bittern.session.client
---@return any? # client, task; or nil, message, code.
---@return string? message
---@return string? code
function M.task(ctx, options) end

--- A task's rules, its onboarding text fetched; a task without one is told of.
---@param ctx table context of a command or of a workflow's step
---@param client table what session.client or coordinator.new gives
---@param task table a task's record
---@return table? # {task, text, onboarding, mode, profile, rules}, or nil, message, code.
---@return string? message
---@return string? code
function M.demands(ctx, client, task) end

return M
