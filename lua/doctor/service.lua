-- The coordinator: whether it answers, what it thinks the time is, and whether it still is what
-- this program knows.
local auth = require "bittern.auth"
local drift = require "bittern.coordinator.drift"
local errors = require "bittern.errors"
local report = require "bittern.report"
local session = require "bittern.session"
local task_record = require "bittern.task"

local M = {}

local SKEW <const> = 30

-- The client, for the checks that follow; none when there is nobody to ask.
function M.coordinator(ctx, add)
  local url, source = session.url(ctx)
  if ctx.offline then return add("warning", url .. ": not asked", "run it without --offline") end
  local quiet = setmetatable({ report = setmetatable({ warn = report.detail, say = report.detail },
    { __index = report }) }, { __index = ctx })
  local client, message, code = session.client(quiet)
  local tasks
  if client then tasks, message, code = client:tasks() end
  if not tasks then return add("bad", message, errors.next(code)) end
  ctx.client = client
  add("ok", ("%s (%s): %d tasks, %d live"):format(url, source, #tasks, #task_record.live(tasks)))
end

function M.clock(ctx, add)
  local skew = ctx.client and ctx.client.skew
  if not skew then return add("warning", "nobody to compare it with", "see coordinator") end
  local text = ("%d s %s the coordinator's"):format(math.abs(skew),
    skew < 0 and "behind" or "ahead of")
  local off = math.abs(skew)
  local state = off > auth.WINDOW and "bad" or off > SKEW and "warning" or "ok"
  add(state, text, state ~= "ok" and "timedatectl set-ntp true" or nil)
end

function M.routes(ctx, add)
  if not ctx.client then return add("warning", "nobody to ask", "see coordinator") end
  local document, message, code = ctx.client:openapi()
  if not document then
    if code == "not_found" then return add("ok", "the coordinator does not describe its routes") end
    return add("warning", message, errors.next(code))
  end
  local missing, new = drift.compare(document)
  for _, text in ipairs(missing) do
    add("warning", report.clean(text), "update bittern; what uses this route may fail")
  end
  if #missing == 0 then
    add("ok", ("every route is as this program knows it; %d others"):format(#new))
  end
end

return M
