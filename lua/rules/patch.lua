-- Rules about the patch: its size, the files it may touch, and what must not be in it.
local common = require "bittern.rules.common"
local patch = require "bittern.patch"
local preflight = require "bittern.patch.preflight"
local surface = require "bittern.patch.surface"
local task_record = require "bittern.task"

local M = {}

local REASONS_MAX <const> = 3

local function text_of(submission)
  local text = common.value(submission, "patch")
  return type(text) == "string" and text or ""
end

-- A cap that the task JSON, else the onboarding text, else a default sets.
local function limit_of(parts)
  local task, limit = parts.task, parts.onboarding and parts.onboarding.limits.patch_bytes
  if task_record.said(task, "max_patch_bytes") then
    return task.max_patch_bytes, "task JSON: max_patch_bytes"
  end
  if limit then return limit.value, "onboarding line " .. limit.line end
  local line = parts.filled and parts.filled.max_patch_bytes
  if line then return task.max_patch_bytes, "onboarding line " .. line end
  return task.max_patch_bytes, "default"
end

local function size_rule(parts)
  local most, source = limit_of(parts)
  return {
    id = "patch_size", source = source, value = most,
    about = ("a patch has at most %d bytes"):format(most),
    check = function(submission)
      local size = #text_of(submission)
      if size <= most then return true end
      return nil, ("the patch has %d bytes, %d too many"):format(size, size - most)
    end,
  }
end

-- What the pre-flight stops, but for the size, which has a rule of its own.
local function surface_rule(parts)
  local spec, patterns = patch.spec(parts.task), parts.task.allowed_patch_paths
  spec.max_patch_bytes = math.maxinteger
  return {
    id = "patch_surface", source = "task JSON: allowed_patch_paths", value = patterns,
    about = #patterns > 0 and "a patch touches only " .. table.concat(patterns, ", ")
      or "a patch touches nothing: the task allows no paths",
    check = function(submission)
      local reasons = {}
      for _, finding in ipairs(preflight.check(text_of(submission), spec)) do
        if finding.stop then reasons[#reasons + 1] = finding.message end
      end
      if #reasons == 0 then return true end
      local rest = #reasons - REASONS_MAX
      reasons = table.concat(reasons, "; ", 1, math.min(#reasons, REASONS_MAX))
      return nil, reasons .. (rest > 0 and ("; and %d more"):format(rest) or "")
    end,
  }
end

local function has_file(items, path)
  local name = path:match("[^/]+$")
  for _, item in ipairs(items) do
    if item:find(".", 1, true) and item == name then return true end
  end
  return false
end

-- "Do not submit caches or last_run.json in the patch": what is a file name can be looked for.
local function content_rule(demand)
  return {
    id = "patch_content", source = "onboarding line " .. demand.line, value = demand.items,
    about = "not in the patch: " .. table.concat(demand.items, ", "),
    check = function(submission)
      for _, path in ipairs(surface.paths(text_of(submission))) do
        if has_file(demand.items, path) then return nil, "the patch contains " .. path end
      end
      return true
    end,
  }
end

--- The rules of a task about patches.
-- @param parts as bittern.rules.merge
-- @return array of rules
function M.rules(parts)
  local list = { size_rule(parts), surface_rule(parts) }
  for _, demand in ipairs(parts.onboarding and parts.onboarding.demands or {}) do
    if demand.items then list[#list + 1] = content_rule(demand) end
  end
  return list
end

return M
