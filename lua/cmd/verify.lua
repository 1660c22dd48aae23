-- bittern verify FILE|URL: would validators take these bytes?
local check = require "bittern.check"
local errors = require "bittern.errors"

-- The rate that a task's rules allow.
local function budget_of(ctx)
  local session = require "bittern.session"
  ctx.args.slug = ctx.args.task
  local client, task, id = session.task(ctx)
  if not client then return nil, task, id end
  local demands, message, code = session.demands(ctx, client, task)
  if not demands then return nil, message, code end
  for _, rule in ipairs(demands.rules) do
    if rule.id == "budget.model" and rule.value then return rule.value end
  end
  return nil, ("the budget of '%s' is not known: give --budget binary, ternary or N/D"):format(
    ctx.args.task), "usage"
end

local words = { pass = "pass", stop = "STOP", skip = "skip" }

local function show(report, result)
  local rows, name = {}, (result.url or result.path) .. ": "
  for i, one in ipairs(result.checks) do
    local text = one.text:sub(1, #name) == name and one.text:sub(#name + 1) or one.text
    rows[i] = { one.id, words[one.state], report.clean(text) }
  end
  for _, line in ipairs(report.table({ { "CHECK" }, { "RESULT" }, { "FOUND" } }, rows)) do
    report.out(line)
  end
end

local function as_json(result)
  local first = result.first
  result.checks = require("bittern.json").array(result.checks)
  result.first = nil
  result.error = first and { id = first.code, message = first.text,
    next = errors.next(first.code), exit = errors.exit(first.code) }
  return result
end

local function conclude(ctx, result)
  local first = result.first
  if ctx.json then
    ctx.report.data(as_json(result))
    return first and errors.exit(first.code) or true
  end
  show(ctx.report, result)
  if first then return nil, first.text, first.code end
  return true
end

return {
  api = 1,
  about = "check an artifact, on disk or at its URL, as validators do",
  group = "artifact",
  args = function(parser)
    parser:argument("artifact", "archive on disk, or the URL that a submission names")
    parser:option("--sha256", "the hash it must have"):argname "H"
    parser:option("--size", "the bytes it must have"):argname "N"
      :convert(check.whole("--size", 0, 1 << 53))
    parser:mutex(
      parser:option("--budget", "binary, ternary or bits a parameter"):argname "BITS",
      parser:option("--task", "the task whose budget it must keep"):argname "SLUG")
    parser:flag("--bytes-only", "compare size and hash, do not look inside")
  end,
  run = function(ctx)
    local args, report = ctx.args, ctx.report
    if args.sha256 and not (#args.sha256 == 64 and args.sha256:find("^%x+$")) then
      return nil, "--sha256 must be 64 hexadecimal digits", "usage"
    end
    local budget, message, code = args.budget, nil, nil
    if args.task then budget, message, code = budget_of(ctx) end
    if args.task and not budget then return nil, message, code end
    local is_url = args.artifact:find("^%a[%w+.-]*://") ~= nil
    local progress = is_url and report.progress { label = "verify", unit = "B" }
    local result, why, id = require("bittern.artifact.verify").checks {
      url = is_url and args.artifact or nil, path = not is_url and args.artifact or nil,
      sha256 = args.sha256, size = args.size, budget = budget, contents = not args.bytes_only,
      on_progress = progress and function(done) progress:update(done) end or nil,
    }
    if progress then progress:finish() end
    if not result then return nil, why, id end
    return conclude(ctx, result)
  end,
}
