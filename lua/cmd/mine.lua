-- bittern mine SLUG: the whole way to a decided submission. Run it again to continue.
local fs = require "core.fs"

local check = require "bittern.check"
local decisions = require "bittern.decisions"
local contest = require "bittern.contest"
local mining = require "bittern.mining"
local patches = require "bittern.patch.source"
local script = require "bittern.script"
local work = require "bittern.work"

local TIMEOUT <const> = 3600

local function arguments(parser)
  parser:argument("slug", "the task's slug or id")
  parser:option("--model", "model directory to compress"):argname("DIR"):count(1)
  parser:option("--recipe", "name or path of the recipe"):argname("RECIPE"):default "rowcol"
  parser:option("--set", "an argument of the recipe (or of the workflow)"):argname("KEY=VALUE")
    :count "*"
  parser:option("--text", "held-out text to score on"):argname("FILE"):count(1)
  parser:option("--publish", "publisher of the artifact"):argname("PUBLISHER"):count(1)
  parser:option("--budget", "binary, ternary or bits a parameter (default: what the task allows)")
    :argname "BITS"
  parser:option("--work", "folder for what is made (default: in the state folder)"):argname "DIR"
  parser:option("--description", "what the claim says"):argname "TEXT"
  parser:option("--summary", "what the submission says (default: what was measured)")
    :argname "TEXT"
  parser:option("--idea", "centerless tasks: the idea, in words"):argname "TEXT"
  parser:option("--idea-file", "the same, from a file"):argname "FILE"
  parser:option("--implements", "centerless tasks: the submission whose idea it builds on")
    :argname "ID"
  patches.arguments(parser)
  parser:option("--base-ref", "commit of the task's repository (default: its branch's)")
    :argname "COMMIT"
  decisions.arguments(parser)
  parser:option("--workflow", "the steps to run"):argname("WORKFLOW"):default "mine"
  parser:option("--timeout", "seconds to wait for the verdict"):argname("S")
    :convert(check.seconds("--timeout")):default(tostring(TIMEOUT))
  parser:flag("--restart", "abandon the unfinished run and begin anew")
  parser:flag("--dry-run", "do the local work, print the requests, send none")
  contest.arguments(parser)
end

-- `--set` words as a table; a later one wins.
local function parse_set(words)
  local set = {}
  for _, word in ipairs(words or {}) do
    local key, value = word:match("^([%w_]+)=(.*)$")
    if not key then return nil, ("--set %s: must be KEY=VALUE"):format(word), "usage" end
    set[key] = value
  end
  return set
end

-- What the workflow declares is the workflow's, the rest is the recipe's.
local function split_set(args, flow)
  local own, recipe = {}, {}
  for key, value in pairs(args.set) do
    local to = flow.args and flow.args[key] and own or recipe
    to[key] = value
  end
  local values, message, code = script.arguments(flow, own)
  if not values then return nil, message, code end
  args.set, args.flow = recipe, values
  return true
end

local function read_idea(args)
  if not args.idea_file then return true end
  local text, message, code = fs.read(args.idea_file, 1 << 16)
  if not text then return nil, message, code end
  args.idea = text:match("^%s*(.-)%s*$")
  return true
end

-- Another folder's checkout is another request, whatever it is called from here.
local function resolve_workspace(args)
  if not args.workspace then return true end
  local path, message, code = fs.realpath(args.workspace)
  if not path then return nil, message, code end
  args.workspace = path
  return true
end

-- Arguments as the steps see them, checked as far as no network is needed.
local function prepare(args, flow)
  local set, message, code = parse_set(args.set)
  if not set then return nil, message, code end
  args.set = set
  local ok
  ok, message, code = split_set(args, flow)
  if not ok then return nil, message, code end
  for _, step in ipairs { read_idea, resolve_workspace } do
    ok, message, code = step(args)
    if not ok then return nil, message, code end
  end
  return work.settings(args)
end

local function run_command(ctx)
  return mining.run(ctx, ctx.args.workflow, prepare)
end

return {
  api = 1,
  about = "from a live task to a decided submission; run again to continue",
  group = "compete",
  args = arguments,
  run = run_command,
}
