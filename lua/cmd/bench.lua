-- bittern bench SLUG: runs a task's own benchmark in a checkout, as validators do.
local fs = require "core.fs"
local lfs = require "lfs"

local bench = require "bittern.bench"
local check = require "bittern.check"
local command = require "bittern.bench.command"
local errors = require "bittern.errors"
local heldout = require "bittern.bench.heldout"
local huggingface = require "bittern.huggingface"
local patch = require "bittern.patch"
local patches = require "bittern.patch.source"
local paths = require "bittern.paths"
local session = require "bittern.session"

local HELDOUT_MAX <const> = 16 << 20

-- Error ids by what validators would report.
local codes = { rejected = "bench_rejected", error = "bench_error", none = "bench_error" }

-- `--env` words as a table.
local function environment(words)
  local env = {}
  for _, word in ipairs(words or {}) do
    local name, value = word:match("^([%a_][%w_]*)=(.*)$")
    if not name then return nil, ("--env %s: must be NAME=VALUE"):format(word), "usage" end
    env[name] = value
  end
  return env
end

-- The sources of held-out texts as the variable that carries them.
local function add_heldout(ctx, env)
  if not ctx.args.heldout then return true end
  local text, message, code = fs.read(ctx.args.heldout, HELDOUT_MAX)
  if not text then return nil, message, code end
  env[heldout.SOURCES] = text
  return true
end

local function artifact_of(path)
  if not path then return nil end
  local found, message, code = fs.realpath(path)
  if not found then return nil, message, code end
  if lfs.attributes(found, "mode") == "file" then return found end
  return nil, path .. ": is no file; validators take an archive (`bittern pack`)", "usage"
end

local function options_of(ctx, task, built)
  local env, message, code = environment(ctx.args.env)
  if not env then return nil, message, code end
  local added
  added, message, code = add_heldout(ctx, env)
  if not added then return nil, message, code end
  local artifact
  artifact, message, code = artifact_of(ctx.args.artifact)
  if code then return nil, message, code end
  if ctx.args.sandbox then
    local ok, why, id = command.has_sandbox(ctx.args.sandbox)
    if not ok then return nil, why, id end
  end
  return {
    folder = built.folder, task = task, spec = patch.spec(task), patch = built.text,
    artifact = artifact, uri = ctx.args.uri, env = env, sandbox = ctx.args.sandbox,
    datasets = huggingface.datasets(ctx.env),
    seconds = ctx.args.seconds, baseline = ctx.args.baseline,
    on_stage = function(name, text, left)
      ctx.report.step(name, ctx.report.clean(("%s (%d s left)"):format(text, left)))
    end,
  }
end

local function keep_log(ctx, task, text)
  local path = ctx.args.log or ("%s/bench/%s.log"):format(paths.cache(),
    task.slug:gsub("[^%w_.-]", "-"))
  local made, message, code = fs.mkdir(path:match("^(.*)/[^/]+$") or ".")
  if not made then return nil, message, code end
  local ok, why, id = fs.write(path, text .. "\n")
  if not ok then return nil, why, id end
  return path
end

local function show(ctx, task, result, log)
  local function say(format, ...) ctx.report.say(ctx.report.clean(format:format(...))) end
  if result.explanation then ctx.report.warn(result.explanation) end
  if result.truncated then ctx.report.warn("output past 16 MiB was dropped") end
  say("validators would report: %s, %s", result.status, result.notes)
  say("log: %s", log)
  result.slug, result.log, result.log_path = task.slug, nil, log
  if ctx.json then
    ctx.report.data(result)
  else
    for _, name in ipairs(check.sorted_keys(result.observed_metrics)) do
      ctx.report.out(ctx.report.clean(("%s=%s"):format(name, result.observed_metrics[name])))
    end
  end
  local code = codes[result.status]
  if not code then return true end
  ctx.report.say("next: " .. errors.next(code))
  return errors.exit(code)
end

local function run(ctx, task)
  local built, message, code = patches.read(ctx, task, { allow_empty = true, unchecked = true })
  if not built then return nil, message, code end
  if #built.left_out > 0 then
    ctx.report.warn("the benchmark here sees what stays out of the patch; validators will not")
  end
  local options
  options, message, code = options_of(ctx, task, built)
  if not options then return nil, message, code end
  if not options.sandbox then
    ctx.report.warn("the task's commands run with your rights; --sandbox bwrap shuts them in")
  end
  local result
  result, message, code = bench.run(options)
  if not result then return nil, message, code end
  local log
  log, message, code = keep_log(ctx, task, result.log)
  if not log then return nil, message, code end
  return show(ctx, task, result, log)
end

return {
  api = 1,
  about = "run a task's own benchmark in a checkout, as validators do",
  group = "compete",
  args = function(parser)
    parser:argument("slug", "the task's slug or id")
    patches.arguments(parser)
    parser:option("--artifact", "the artifact to score"):argname "FILE"
    parser:option("--uri", "its address, for the benchmark to see"):argname "URL"
    parser:flag("--baseline", "the task as it stands: neither patch nor artifact is needed")
    parser:option("--env", "one more variable of the benchmark"):argname "NAME=VALUE":count "*"
    parser:option("--heldout", "held-out texts, or rows of datasets, as validators name them: JSON")
      :argname "FILE"
    parser:option("--seconds", "time for all of it (default: the task's time budget)")
      :argname("S"):convert(check.seconds("--seconds"))
    parser:option("--sandbox", "bwrap: no network, no files but the checkout"):argname "NAME"
      :choices { "bwrap" }
    parser:option("--log", "where the commands' output goes (default: in the cache)")
      :argname "FILE"
  end,
  run = function(ctx)
    ctx.args.workspace = ctx.args.workspace or "."
    local client, task, code = session.task(ctx)
    if not client then return nil, task, code end
    return run(ctx, task)
  end,
}
