-- Where a command's patch comes from: a checkout, a file that somebody made, or nowhere.
local fs = require "core.fs"

local common = require "bittern.rules.common"
local patch = require "bittern.patch"
local submit = require "bittern.submit"
local workspace = require "bittern.workspace"

local M = {}

local FILE_MAX <const> = 64 << 20

--- Adds the options that M.read understands.
function M.arguments(parser)
  parser:option("--workspace", "checkout of the task's repository: its HEAD and its changes")
    :argname "DIR"
  parser:option("--patch", "a unified diff instead of the checkout's changes"):argname "FILE"
end

-- What people should know of a patch that was built.
local function tell(ctx, found, built)
  local function warn(format, ...) ctx.report.warn(ctx.report.clean(format:format(...))) end
  for _, left in ipairs(built.left_out) do
    warn("%s stays out of the patch: %s", left.path, left.why)
  end
  for _, path in ipairs(built.hidden) do
    warn("%s stays out of the patch: git ignores it", path)
  end
  if found.base and found.base ~= found.commit then
    warn("HEAD is %s, the task's base was %s at the clone; validators may check out the latter",
      found.commit:sub(1, 12), found.base:sub(1, 12))
  end
end

-- A branch that moved since the clone is worth a word, not a refusal.
local function tell_moved(ctx, found, task, rehearsal)
  if ctx.offline then return end
  local now, message = workspace.moved(found, task, { rehearsal = rehearsal })
  if now then
    ctx.report.warn(("%s stands at %s now, this checkout at %s; validators may take the former")
      :format(found.ref, now:sub(1, 12), found.base:sub(1, 12)))
  elseif message then
    ctx.report.detail(ctx.report.clean("where the branch stands now is not known: " .. message))
  end
end

--- Whether a task takes the empty patch beside an artifact: by the task JSON, else by the other
-- rules (onboarding, profile).
-- @param demands as rules.of_task
function M.allows_empty(demands)
  for _, rule in ipairs(demands.rules) do
    if rule.id == "artifact_first" then return rule.value end
  end
  return false
end

local function from_file(path, task, options)
  local text, message, code = fs.read(path, FILE_MAX)
  if not text then return nil, message, code end
  local stop = not options.unchecked and patch.stop(text, patch.spec(task))
  if stop then return nil, ("%s: %s"):format(path, stop.message), "patch" end
  return { text = text, left_out = {}, hidden = {} }
end

local function from_checkout(found, task, options)
  if not found.folder then return { text = "", left_out = {}, hidden = {} } end
  return patch.build(found.folder, patch.spec(task), options)
end

--- The patch and the commit that ctx.args names.
-- @param ctx a command's context
-- @param task record
-- @param options of bittern.patch.build, and client = to ask whether the branch has moved
-- @return {text =, commit = of the checkout or nil, folder =, paths =, left_out =, hidden =,
--   objection =}; or nil, message, code
function M.read(ctx, task, options)
  local found = {}
  if ctx.args.workspace then
    local checkout, message, code = workspace.inspect(ctx.args.workspace, task)
    if not checkout then return nil, message, code end
    found = checkout
  end
  if options.client and found.folder then
    tell_moved(ctx, found, task, common.is_local(options.client.base))
  end
  local built, why, id
  if ctx.args.patch then
    built, why, id = from_file(ctx.args.patch, task, options)
  else
    built, why, id = from_checkout(found, task, options)
  end
  if not built then return nil, why, id end
  tell(ctx, found, built)
  built.commit, built.folder = found.commit, found.folder
  return built
end

--- What a submission takes from ctx.args: its patch, and the commit that it speaks of.
-- @param ctx a command's context; ctx.args has workspace, patch and base_ref
-- @param demands as rules.of_task
-- @param client of the coordinator
-- @return {text =, base_ref = 40 hexadecimal digits}, or nil, message, code
function M.submitted(ctx, task, demands, client)
  local built, message, code = M.read(ctx, task,
    { allow_empty = M.allows_empty(demands), client = client })
  if not built then return nil, message, code end
  local given = ctx.args.base_ref
  if built.commit and given and built.commit ~= given then
    return nil, ("--base-ref is not the checkout's HEAD, %s"):format(built.commit), "usage"
  end
  local base_ref
  base_ref, message, code = submit.base_ref(task, given or built.commit, client)
  if not base_ref then return nil, message, code end
  return { text = built.text, base_ref = base_ref }
end

return M
