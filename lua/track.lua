-- Following a submission until it is decided: state changes only, with what the validators noted.
local sys = require "core.sys"

local check = require "bittern.check"
local errors = require "bittern.errors"

local M = {}

local FIRST <const> = 0.2
local LONGEST <const> = 30

local final = { accepted = true, rejected = true, error = true }

-- A gate in front of the detail, or a coordinator without it, still leaves the record.
local function fetch(client, id)
  local detail, message, code = client:detail(id)
  if type(detail) == "table" and type(detail.submission) == "table" then return detail end
  if code == "interrupted" then return nil, message, code end
  local submission
  submission, message, code = client:submission(id)
  if type(submission) ~= "table" then
    return nil, message or "the answer is empty", code or "invalid_response"
  end
  local list = client:verifications(id)
  return { submission = submission, verifications = type(list) == "table" and list or {} }
end

-- What was measured: the task's metric, or all numbers when the detail does not name it.
local function metrics_text(metrics, metric_name)
  local parts = {}
  if type(metrics) ~= "table" then return "" end
  for _, name in ipairs(check.sorted_keys(metrics)) do
    local value = metrics[name]
    if type(value) == "number" and (name == metric_name or metrics[metric_name] == nil) then
      parts[#parts + 1] = ("%s %.6g"):format(name, value)
    end
  end
  return table.concat(parts, ", ")
end

local function verification_line(verification, metric_name)
  local who = tostring(verification.validator_hotkey or "?"):sub(1, 10)
  local parts = { ("validator %s: %s"):format(who, tostring(verification.status)) }
  local measured = metrics_text(verification.observed_metrics, metric_name)
  if measured ~= "" then parts[#parts + 1] = measured end
  if (verification.notes or "") ~= "" then parts[#parts + 1] = tostring(verification.notes) end
  return table.concat(parts, "; ")
end

-- What is new since the last look, one line each: verifications, and a change of the status.
local function tell(ctx, id, detail, seen)
  for _, verification in ipairs(detail.verifications or {}) do
    local line = verification_line(verification, detail.metric_name)
    local mark = ("%s %s"):format(tostring(verification.id), line)
    local say = final[verification.status] and ctx.report.say or ctx.report.detail
    if not seen[mark] then say("    " .. ctx.report.clean(line)) end
    seen[mark] = true
  end
  local status = ctx.report.clean(tostring(detail.submission.status))
  if seen.status ~= status then
    local from = seen.status and seen.status .. " -> " or ""
    ctx.report.say(("    submission %s: %s%s"):format(id, from, status))
  end
  seen.status = status
end

--- The last thing that a validator said, for one line.
-- @param detail what client:detail gives
-- @return ": what it said", or ""
function M.last_note(detail)
  for i = #(detail.verifications or {}), 1, -1 do
    local notes = detail.verifications[i].notes
    if notes and notes ~= "" then return ": " .. tostring(notes) end
  end
  return ""
end

local function verdict(id, detail)
  local status = detail.submission.status
  if status == "accepted" then return detail end
  local what = status == "error" and "the validator failed on it" or status
  return nil, ("submission %s: %s%s"):format(id, what, M.last_note(detail)), "rejected", detail
end

-- Waits before the next look, not past the deadline; a little random, so that miners do not
-- march in step.
local function wait(ctx, pause, deadline)
  local jitter = 0.75 + sys.random(1):byte() / 512
  return ctx.sleep(math.max(0, math.min(pause * jitter, deadline - ctx.clock())))
end

-- Whether asking again may help: what is temporary, and the network unless it is switched off.
local function may_pass(code)
  local exit = errors.exit(code)
  return code ~= "offline" and (exit == errors.exit "busy" or exit == errors.exit "network")
end

local function pending(id, timeout, detail, failed)
  local what = failed or tostring(detail.submission.status)
  return nil, ("submission %s: %s after %g s%s"):format(id, what, timeout,
    detail and M.last_note(detail) or ""), "pending", detail
end

--- Polls a submission until it is accepted, rejected, in error, or the time is up.
-- @param ctx {client=, report=, sleep=, clock=}
-- @param id of the submission
-- @param timeout seconds
-- @return detail record when accepted; else nil, message, "rejected"|"pending"|..., detail or nil
function M.follow(ctx, id, timeout)
  local deadline, pause, seen = ctx.clock() + timeout, FIRST, {}
  while true do
    local detail, message, code = fetch(ctx.client, id)
    if not detail and not may_pass(code) then
      return nil, ("submission %s: %s"):format(id, message), code
    end
    if detail then tell(ctx, id, detail, seen) end
    if not detail and not seen.failed then
      ctx.report.warn(("submission %s: %s; asking again"):format(id, message))
    end
    seen.failed = not detail
    if detail and final[detail.submission.status] then return verdict(id, detail) end
    if ctx.clock() >= deadline then return pending(id, timeout, detail, message) end
    local slept, why, interrupted = wait(ctx, pause, deadline)
    if not slept then return nil, why, interrupted end
    pause = math.min(pause * 1.5, LONGEST)
  end
end

return M
