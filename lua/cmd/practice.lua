-- bittern practice: a coordinator of one's own, with the real one's API and rules.
local paths = require "bittern.paths"

local actions = { "serve", "validate", "pause", "resume", "close", "plan", "fund" }

-- The folder as the child processes will see it, too; only serve makes one.
local function folder(ctx)
  local fs = require "core.fs"
  local dir = ctx.args.state or paths.state(ctx.env) .. "/practice"
  if ctx.args.action ~= "serve" and not fs.stat(dir .. "/coordinator.db") then
    return nil, dir .. ": no practice coordinator has its state here", "not_found"
  end
  local made, message, code = fs.mkdir(dir, 0x1C0)
  if not made then return nil, message, code end
  return fs.realpath(dir)
end

local function serve(ctx, dir)
  local port = math.tointeger(tonumber(ctx.args.port))
  if not port or port < 0 or port > 65535 then
    return nil, "--port must lie in 0..65535", "usage"
  end
  return require("bittern.practice.server").run {
    dir = dir, port = port, validator = not ctx.args.no_validator, faults = ctx.args.fault,
    tasks = ctx.args.task, stake_gate = ctx.args.stake_gate, sandbox = ctx.args.sandbox,
    now = ctx.now,
    ready = ctx.report.data, warn = ctx.report.warn,
  }
end

local function tell_judged(ctx, job, result)
  if ctx.json then
    ctx.report.data { job_id = job.job_id, submission_id = job.submission_id,
      status = result.status, notes = result.notes }
  end
  ctx.report.detail(("job %s: %s: %s"):format(job.job_id, result.status, result.notes))
end

local function validate(ctx, dir)
  local url = ctx.coordinator or ctx.env "BITSOTA_COORDINATOR_URL"
  if not url then return nil, "validate needs --coordinator URL", "usage" end
  local key, message, code = require("bittern.practice.validator_key").load(dir)
  if not key then return nil, message, code end
  local coordinator = require "bittern.coordinator"
  local client
  client, message, code = coordinator.new { url = url, key = key, now = ctx.now,
    warn = ctx.report.warn }
  if not client then return nil, message, code end
  return require("bittern.practice.validator").run {
    client = client, folder = dir .. "/validator",
    datasets = require("bittern.huggingface").datasets(ctx.env),
    benchmark = require("bittern.practice.benchmark").run, once = ctx.args.once,
    sandbox = ctx.args.sandbox,
    judged = function(job, result) tell_judged(ctx, job, result) end, warn = ctx.report.warn,
  }
end

-- Does something with the state that a server may be using.
local function with_database(dir, fn)
  local db <close>, message, code = require("bittern.practice.database").open(dir)
  if not db then return nil, message, code end
  local done, why, id = fn(db)
  return done, why, id
end

local states = { pause = "paused", resume = "live", close = "closed" }

local function set_state(ctx, dir)
  local slug, state = ctx.args.name, states[ctx.args.action]
  if not slug then return nil, ctx.args.action .. " needs the task's slug", "usage" end
  local done, message, code = with_database(dir, function(db)
    return require("bittern.practice.task_store").set_state(db, "slug", slug, state, ctx.now())
  end)
  if not done then return nil, message, code end
  if ctx.json then ctx.report.data { slug = slug, task_state = state } end
  ctx.report.say(slug .. " is " .. state)
  return true
end

local function plan(ctx, dir)
  local added, message, code = with_database(dir, function(db)
    return db:transaction(function()
      return require("bittern.practice.planner").plan(db, ctx.now())
    end)
  end)
  if not added then return nil, message, code end
  if ctx.json then ctx.report.data { created = #added } end
  ctx.report.say(("%d work items planned"):format(#added))
  return true
end

local function fund(ctx, dir)
  local hotkey = ctx.args.name
  if not hotkey or not require("core.sr25519").public(hotkey) then
    return nil, "fund needs a hotkey's address", "usage"
  end
  local done, message, code = with_database(dir, function(db)
    return require("bittern.practice.database").fund(db, hotkey)
  end)
  if not done then return nil, message, code end
  if ctx.json then ctx.report.data { hotkey = hotkey, funded = true } end
  ctx.report.say(hotkey .. " has the stake that --stake-gate asks for")
  return true
end

local handlers = {
  serve = serve, validate = validate, pause = set_state, resume = set_state, close = set_state,
  plan = plan, fund = fund,
}

local about_actions = [[
  serve                  answer HTTP until interrupted; one line of JSON when ready
  validate               replay submissions and post the results; serve starts it
  pause, resume, close   a task, by its slug
  plan                   let the planner make work items for every live task
  fund                   give a hotkey the stake that --stake-gate asks for]]

return {
  api = 1,
  about = "a local coordinator with the real one's API, to rehearse on",
  group = "self",
  args = function(parser)
    parser:argument("action", "what to do, see below (default: serve)")
      :choices(actions):args "?"
    parser:argument("name", "the task's slug or the hotkey, where an action needs one"):args "?"
    parser:option("--state", "folder of its state, made when it is not there"):argname "DIR"
    parser:option("--port", "port on 127.0.0.1; 0 takes a free one"):default "0":argname "N"
    parser:option("--task", "serve: a task of one's own, the body of POST /api/v1/tasks")
      :argname "FILE":count "*"
    parser:flag("--stake-gate", "serve: miners need stake; see fund")
    parser:option("--sandbox", "bwrap: what a task's commands see is their checkout alone")
      :argname "NAME":choices { "bwrap" }
    parser:flag("--no-validator", "serve: do not start the validator")
    parser:flag("--once", "validate: look for work once, then end")
    parser:option("--fault", "serve: misbehave, may be repeated"):argname "NAME[:ARG][=P]":count "*"
    local faults = require "bittern.practice.faults"
    parser:epilog(about_actions .. "\n\nfaults of serve, with a probability P where one is given:\n"
      .. faults.help())
  end,
  run = function(ctx)
    ctx.args.action = ctx.args.action or "serve"
    local dir, message, code = folder(ctx)
    if not dir then return nil, message, code end
    return handlers[ctx.args.action](ctx, dir)
  end,
}
