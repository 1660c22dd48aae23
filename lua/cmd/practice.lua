-- bittern practice: a coordinator of one's own, with the real one's API and rules.
local actions = { "serve", "validate", "pause", "resume", "close" }

-- The folder as the child processes will see it, too; only serve makes one.
local function folder(ctx)
  local fs = require "core.fs"
  local dir = ctx.args.dir
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
    now = ctx.now, ready = ctx.report.data, warn = ctx.report.warn,
  }
end

local function validate(ctx, dir)
  local url = ctx.coordinator or ctx.env "BITSOTA_COORDINATOR_URL"
  if not url then return nil, "validate needs --coordinator URL", "usage" end
  local key, message, code = require("bittern.practice.validator_key").load(dir)
  if not key then return nil, message, code end
  return require("bittern.practice.validator").run {
    coordinator = url:gsub("/+$", ""), key = key, folder = dir .. "/validator",
    benchmark = require("bittern.practice.benchmark").run, now = ctx.now, once = ctx.args.once,
    say = ctx.report.detail, warn = ctx.report.warn,
  }
end

local states = { pause = "paused", resume = "live", close = "closed" }

local function set_state(ctx, dir)
  local database = require "bittern.practice.database"
  local slug, state = ctx.args.slug, states[ctx.args.action]
  if not slug then return nil, ctx.args.action .. " needs the task's slug", "usage" end
  local db <close>, message, code = database.open(dir, ctx.now())
  if not db then return nil, message, code end
  local done, why, id = database.set_state(db, slug, state, ctx.now())
  if not done then return nil, why, id end
  if ctx.json then ctx.report.data { slug = slug, task_state = state } end
  ctx.report.say(slug .. " is " .. state)
  return true
end

local handlers = {
  serve = serve, validate = validate, pause = set_state, resume = set_state, close = set_state,
}

local about_actions = [[
  serve                  answer HTTP until interrupted; one line of JSON when ready
  validate               replay submissions and post the results; serve starts it
  pause, resume, close   a task, by its slug]]

return {
  api = 1,
  about = "a local coordinator with the real one's API, to rehearse on",
  group = "self",
  args = function(parser)
    parser:argument("action", "what to do, see below"):choices(actions)
    parser:argument("slug", "the task, for pause, resume and close"):args "?"
    parser:option("--dir", "folder of its state, made when it is not there"):argname "DIR":count(1)
    parser:option("--port", "port on 127.0.0.1; 0 takes a free one"):default "0"
    parser:flag("--no-validator", "serve: do not start the validator")
    parser:flag("--once", "validate: look for work once, then end")
    parser:option("--fault", "serve: misbehave, may be repeated"):argname "NAME":count "*"
    local faults = require "bittern.practice.faults"
    parser:epilog(about_actions .. "\n\nfaults of serve:\n" .. faults.help())
  end,
  run = function(ctx)
    local dir, message, code = folder(ctx)
    if not dir then return nil, message, code end
    return handlers[ctx.args.action](ctx, dir)
  end,
}
