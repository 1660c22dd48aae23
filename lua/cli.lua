-- The command line: finds the command's script, parses, runs, turns errors into exit codes.
local fs = require "core.fs"
local sys = require "core.sys"

local check = require "bittern.check"
local config = require "bittern.config"
local environment = require "bittern.environment"
local errors = require "bittern.errors"
local excerpts = require "bittern.script.excerpt"
local overview = require "bittern.cli.overview"
local parsers = require "bittern.cli.parser"
local report = require "bittern.report"
local script = require "bittern.script"

local M = {}

local function context(args)
  return {
    args = args,
    report = report,
    json = args.json or false,
    offline = args.offline or false,
    coordinator = args.coordinator,
    env = os.getenv,
    now = sys.time,
  }
end

local function next_step(code, name)
  if code == "usage" and name then return ("see `bittern %s --help`"):format(name) end
  return errors.next(code)
end

-- @param name of the command that failed, where one was found
local function fail(message, code, name)
  if type(code) ~= "string" then code = nil end
  local exit = errors.exit(code)
  local shown, excerpt = tostring(message), nil
  if exit == errors.exit "script" then shown, excerpt = excerpts.of(shown) end
  report.failure(shown, code, next_step(code, name), exit, excerpt)
  return exit
end

-- What a raised error tells: a table with a code is a failure that report met while printing,
-- everything else is a script's fault. A module that is not found is named without Lua's list of
-- all the places where it was looked for.
local function describe(raised)
  local is_text = type(raised) == "string" or type(raised) == "number"
  if type(raised) == "table" and raised.code and raised.message then return raised end
  local message = is_text and tostring(raised) or "a script raised a " .. type(raised)
  message = message:gsub("(module '[^']*' not found):\n.*", "%1")
  return { message = message, code = "script", traceback = debug.traceback("", 2) }
end

-- Nobody reads on: there is nobody to tell.
local function end_of(failure)
  if failure.code == "closed_pipe" then return errors.exit("closed_pipe") end
  if failure.traceback then report.detail(failure.traceback) end
  return fail(failure.message, failure.code)
end

local function show_help(text)
  if report.is_json() then report.data { help = text } else report.out(text) end
  return 0
end

-- Words that name no command may be meant for the user's aliases, or for `help`.
local function fail_unknown(name, message)
  local words = check.sorted_keys(config.aliases())
  words[#words + 1] = "help"
  local is_told = message:find("did you mean", 1, true)
  return fail(is_told and message or message .. check.hint(name, words), "usage")
end

local function run(name, argv)
  local command, message, code = script.find("cmd", name)
  if code == "not_found" then return fail_unknown(name, message) end
  if not command then return fail(message, code) end
  local parser = parsers.of(name, command)
  if parsers.has(argv, "-h", "--help") then return show_help(parser:get_help()) end
  local ok, args = parser:pparse(argv)
  if not ok then
    local wrong = tostring(args):gsub("\nDid you mean", "; did you mean"):gsub("\n", "; ")
    return fail(wrong, "usage", name)
  end
  local done, why, id = command.run(context(args))
  if done then return type(done) == "number" and done or 0 end
  return fail(why, id, name)
end

-- `bittern run FILE ...`: everything after FILE belongs to the script.
local function split(argv, at)
  if argv[at] ~= "run" then return argv end
  local own = { table.unpack(argv, 1, at) }
  own[#own + 1] = argv[at + 1]
  M.script_arguments = { table.unpack(argv, at + 2) }
  return own
end

-- A forced instruction set that is not there is refused before anything starts.
local function check_isa()
  if not os.getenv("BITTERN_ISA") then return true end
  local chosen, available = require "core.quant".isa()
  if chosen then return true end
  return nil, ("BITTERN_ISA: this processor has no '%s', but %s"):format(os.getenv("BITTERN_ISA"),
    table.concat(available, ", ")), "config"
end

local function configure_report(argv)
  report.configure {
    json = parsers.has(argv, "--json"), quiet = parsers.has(argv, "--quiet"),
    verbose = parsers.has(argv, "--verbose"), input = not parsers.has(argv, "--no-input"),
    color = parsers.option_value(argv, "--color") or "auto",
    progress = parsers.option_value(argv, "--progress") or "auto",
  }
end

-- true, or nil, message, code
local function configure(argv)
  configure_report(argv)
  local ca_file = parsers.option_value(argv, "--cacert") or os.getenv("BITTERN_CACERT")
  local offline = parsers.has(argv, "--offline")
  if offline or ca_file then
    require("bittern.http").configure { offline = offline, ca_file = ca_file }
  end
  local ok, message, code = check_isa()
  if not ok then return nil, message, code end
  local root = parsers.option_value(argv, "--root")
  if not root then return true end
  script.override, message = fs.realpath(root)
  if script.override then return true end
  return nil, "--root: " .. message, "config"
end

-- A command line that names no command.
local function run_nothing(argv)
  if parsers.has(argv, "--version") then return run("version", {}) end
  if parsers.has(argv, "-h", "--help") then return show_help(overview.text()) end
  if #argv > 0 then return fail(("no command in '%s'"):format(table.concat(argv, " ")), "usage") end
  report.say(overview.text())
  return errors.exit("usage")
end

-- `bittern help`, `bittern help COMMAND`
local function help_as_option(argv)
  local at = parsers.command_index(argv)
  if at and argv[at] == "help" then argv[at] = "--help" end
end

-- The words that are bittern's own, and which of them names the command.
local function own_words(argv)
  local at = parsers.command_index(argv)
  return at and split(argv, at) or argv, at
end

local function main(argv)
  local said = own_words(argv)
  configure_report(said) -- what is wrong with config.lua is told as asked for, too
  local profile = parsers.option_value(said, "--profile") or os.getenv "BITTERN_PROFILE"
  local ok, message, code = config.read(profile)
  if not ok then return fail(message, code) end
  help_as_option(argv)
  argv = config.expand(argv, parsers.command_index(argv))
  local own, at = own_words(argv)
  ok, message, code = configure(own)
  if not ok then return fail(message, code) end
  if not at then return run_nothing(own) end
  local name = table.remove(own, at)
  return run(name, own)
end

-- After Ctrl-C nothing more is run; only that it came is told.
local function tell_interrupted()
  local id <const> = "interrupted"
  report.failure(id, id, report.is_json() and errors.next(id), errors.exit(id))
end

--- Runs the command line.
-- @param argv array of strings, without the program's name
-- @return exit code
function M.main(argv)
  sys.on_interrupt(tell_interrupted)
  environment.scrub()
  local ok, status = xpcall(main, describe, argv)
  return ok and status or end_of(status)
end

return M
