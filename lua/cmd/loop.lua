-- bittern loop -- COMMAND ...: a command of bittern in cycles, each with a time of its own.
local process = require "core.process"
local sys = require "core.sys"

local check = require "bittern.check"
local loop = require "bittern.loop"
local template = require "bittern.template"

local GRACE <const> = 10

-- What was said to bittern itself holds for every cycle.
local function globals(args)
  local words = {}
  for _, name in ipairs { "root", "coordinator", "color" } do
    if args[name] then table.move({ "--" .. name, args[name] }, 1, 2, #words + 1, words) end
  end
  for _, name in ipairs { "json", "offline", "quiet", "verbose" } do
    if args[name] then words[#words + 1] = "--" .. name end
  end
  return words
end

-- The command line of one cycle, or nil, message, "usage".
local function words_of(args, cycle)
  local words = { sys.exe(), table.unpack(globals(args)) }
  for _, word in ipairs(args.words) do
    local filled, message, code = template.fill(word, { cycle = cycle })
    if not filled then return nil, ("%s: %s"):format(word, message), code end
    words[#words + 1] = filled
  end
  return words
end

-- Asks a child to end, and makes it. What it began is in its ledger.
local function finish(child, signal)
  child:kill(signal)
  if not child:wait(GRACE) then child:kill(9) end
end

local function run_once(ctx, cycle, left)
  local child <close>, message, code = process.spawn {
    argv = words_of(ctx.args, cycle), stdout = "inherit", stderr = "inherit",
  }
  if not child then return nil, message, code end
  local ended, why, id = child:wait(left < 1e8 and math.max(left, 1e-3) or nil)
  if ended then return ended.status or loop.KILLED end
  finish(child, 15)
  if id ~= "timeout" then return nil, why, id end
  ctx.report.warn(("cycle %d: ended, its time is over"):format(cycle))
  return loop.KILLED
end

local function world(ctx)
  return {
    run = function(cycle, left) return run_once(ctx, cycle, left) end,
    sleep = sys.sleep, clock = sys.clock, random = math.random, say = ctx.report.say,
    ended = function(result)
      if ctx.json then return ctx.report.data(result) end
      ctx.report.say(("cycle %d: exit %d after %.1f s"):format(result.cycle, result.exit,
        result.seconds))
    end,
  }
end

local function run(ctx)
  local args = ctx.args
  local words, message, code = words_of(args, 1)
  if not words then return nil, message, code end
  local exit, why, id = loop.run({
    cycles = args.cycles, interval = args.interval, cycle_time = args.cycle_time,
    failures = args.failures, stop_on_success = args.stop_on_success,
  }, world(ctx))
  if not exit then return nil, why, id end
  ctx.report.say("the loop ends: " .. why)
  return exit
end

local notes = [[
{cycle}, in a word of the command, is the number of the cycle.
An end with 5, 6, 8, 11 or 15 is tried again within the cycle; with 1, 9, 10
or 12 the next cycle begins; 0 is a success; all others end the loop at once
(4 among them: no stake, not registered, not allowed).]]

return {
  api = 1,
  about = "run a command in cycles: `bittern loop -- mine SLUG ...`",
  group = "compete",
  args = function(parser)
    parser:argument("words", "the command, behind --"):args "+"
    parser:option("--cycles", "how many; 0 for no end"):argname("N")
      :convert(check.whole("--cycles", 0, 1000000)):default "0"
    parser:option("--interval", "seconds between two cycles"):argname("S")
      :convert(check.seconds("--interval")):default "15"
    parser:option("--cycle-time", "seconds that one cycle may take"):argname("S")
      :convert(check.seconds("--cycle-time"))
    parser:option("--failures", "failed cycles in a row that end the loop"):argname("N")
      :convert(check.whole("--failures", 1, 1000000)):default "3"
    parser:flag("--stop-on-success", "end at the first cycle that succeeds")
    parser:epilog(notes)
  end,
  run = run,
}
