-- A command's view of the coordinator: which one, offline or not, and with which hotkey.
local coordinator = require "bittern.coordinator"
local seen = require "bittern.task.seen"
local signer = require "bittern.wallet.signer"
local wallet = require "bittern.wallet"

local M = {}

local function filled(text)
  return text and text:find("%S") and text:match("^%s*(.-)%s*$") or nil
end

--- The coordinator's URL: --coordinator, BITSOTA_COORDINATOR_URL, production.
-- @return url, where it comes from
function M.url(ctx)
  local given = filled(ctx.coordinator)
  if given then return given, "--coordinator" end
  given = filled(ctx.env("BITSOTA_COORDINATOR_URL"))
  if given then return given, "BITSOTA_COORDINATOR_URL" end
  return coordinator.PRODUCTION, "default"
end

-- The hotkey of a command; `signed = "optional"` goes on without one when none was named.
local function key_of(ctx, signed)
  if not signed then return {} end
  local found, message, code = signer.open(wallet.options(ctx.args, ctx.env))
  if found then
    for _, warning in ipairs(found.warnings or {}) do ctx.report.warn(warning) end
    return found
  end
  if signed == "optional" and not wallet.is_named(ctx.args) then
    ctx.report.detail("no hotkey: " .. message)
    return {}
  end
  return nil, message, code
end

-- Every list of tasks that comes is kept, and is what there is when nothing may be fetched.
local function keep_tasks(ctx, client)
  local fetch = client.tasks
  function client:tasks()
    local list, since = nil, nil
    if ctx.offline then list, since = seen.read(self.base, ctx.env) end
    if list then
      ctx.report.say(("tasks as they were %s ago"):format(
        ctx.report.age(math.max(0, ctx.now() - since))))
      return list
    end
    local tasks, message, code = fetch(self)
    if not tasks then return nil, message, code end
    local kept, why = seen.write(self.base, tasks, ctx.now(), ctx.env)
    if not kept then ctx.report.detail("the list of tasks is not kept: " .. why) end
    return tasks
  end
  return client
end

--- The coordinator's client for a command.
-- @param ctx a command's context
-- @param options {signed = true | "optional"}: open the wallet that ctx.args names (see
--   wallet.arguments); "optional" goes on without a hotkey when ctx.args names none
-- @return client (client.address is the hotkey's), or nil, message, code
function M.client(ctx, options)
  local signed = options and options.signed
  local identity, message, code = key_of(ctx, signed)
  if not identity then return nil, message, code end
  local url, source = M.url(ctx)
  local client, why, id = coordinator.new {
    url = url, key = identity.key, offline = ctx.offline, now = ctx.now,
    warn = function(text) ctx.report.warn(ctx.report.clean(text)) end,
  }
  if not client then return nil, source .. ": " .. why, id end
  return keep_tasks(ctx, client)
end

--- The client and the live task that ctx.args.slug names.
-- @param options as M.client
-- @return client, task; or nil, message, code
function M.task(ctx, options)
  local client, message, code = M.client(ctx, options)
  if not client then return nil, message, code end
  local task, why, id = client:find(ctx.args.slug)
  if not task then return nil, why, id end
  return client, task
end

--- A task's rules, its onboarding text fetched; a task without one is told of.
-- @return {task, text, onboarding, mode, profile, rules}, or nil, message, code
function M.demands(ctx, client, task)
  local text, message, code = client:onboard(task)
  if not text and code ~= "not_found" then return nil, message, code end
  if not text then ctx.report.warn("the task has no onboarding text; its rules are missing") end
  -- Loaded here: most commands judge nothing.
  local parts, why, id = require("bittern.rules").of_task(task, text)
  if not parts then return nil, why, id end
  parts.text = text
  return parts
end

return M
