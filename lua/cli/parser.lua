-- What the command line understands: the options that every command has, a command's own parser,
-- and which word names the command.
local M = {}

local WIDTH <const> = 80

--- The options that may stand before or behind any command. What has `value` or `choices` takes
-- one.
M.globals = {
  { name = "--json", about = "print one JSON object to stdout, also for failures" },
  { name = "--root", value = "DIR", about = "folder of scripts that come before all others" },
  { name = "--profile", value = "NAME", variable = "BITTERN_PROFILE",
    about = "defaults of this profile of config.lua (else BITTERN_PROFILE)" },
  { name = "--coordinator", value = "URL", variable = "BITSOTA_COORDINATOR_URL",
    about = "the coordinator (else BITSOTA_COORDINATOR_URL)" },
  { name = "--offline", about = "use no network" },
  { name = "--no-input", about = "ask nothing, at a terminal either" },
  { name = "--cacert", value = "FILE", variable = "BITTERN_CACERT",
    about = "PEM file of the authorities to trust (else BITTERN_CACERT)" },
  { name = "--color", choices = { "auto", "always", "never" }, default = "auto",
    about = "auto, always or never" },
  { name = "--progress", choices = { "auto", "json", "none" }, default = "auto",
    about = "of long work: auto, a line of JSON a second on stderr, or none" },
  { name = "--quiet", about = "say nothing but warnings and errors" },
  { name = "--verbose", about = "say more" },
}

local function add_globals(parser)
  local added = {}
  for i, global in ipairs(M.globals) do
    local takes_one = global.value or global.choices
    local option = takes_one and parser:option(global.name, global.about)
      or parser:flag(global.name, global.about)
    if global.value then option:argname(global.value) end
    if global.choices then option:choices(global.choices):default(global.default) end
    added[i] = option
  end
  added[#added + 1] = parser:flag("-h --help", "show this help")
  parser:group("Options of every command", table.unpack(added))
end

-- A command's own options come first in its help, and alone in its usage: what every command has
-- would bury them.
local function put_own_first(parser)
  local grouped, own = {}, {}
  for _, group in ipairs(parser._groups) do
    for _, element in ipairs(group) do grouped[element] = true end
  end
  for _, option in ipairs(parser._options) do
    if not grouped[option] then own[#own + 1] = option end
  end
  if own[1] then
    parser:group("Options", table.unpack(own))
    table.insert(parser._groups, 1, table.remove(parser._groups))
  end
  parser:usage(parser:get_usage())
end

--- The parser of one command; the command's own script adds its options.
-- @param name of the command
-- @param command its script's table; nil for one that has the global options only
-- @return lua-argparse's parser
function M.of(name, command)
  local argparse = require "argparse"
  local parser = argparse("bittern " .. name, command and command.about .. "."):add_help(false)
    :usage_max_width(WIDTH):help_max_width(WIDTH)
  if command and command.args then command.args(parser) end
  put_own_first(parser)
  add_globals(parser)
  return parser
end

local takes_value = {}
for _, global in ipairs(M.globals) do
  takes_value[global.name] = (global.value or global.choices) ~= nil
end

--- Index of the word that names the command, or nil.
function M.command_index(argv)
  local i = 1
  while i <= #argv do
    if argv[i]:sub(1, 1) ~= "-" then return i end
    i = i + (takes_value[argv[i]] and 2 or 1)
  end
  return nil
end

-- What stands behind `--` is no option of bittern's.
local function last_option(argv)
  for i, word in ipairs(argv) do
    if word == "--" then return i - 1 end
  end
  return #argv
end

--- The value of an option before any parser has read the words.
-- @return string or nil
function M.option_value(argv, name)
  for i = 1, last_option(argv) do
    if argv[i] == name then return argv[i + 1] end
    local value = argv[i]:match("^" .. name:gsub("%-", "%%-") .. "=(.*)$")
    if value then return value end
  end
  return nil
end

--- Whether one of some flags is among the words.
function M.has(argv, ...)
  for i = 1, last_option(argv) do
    for _, name in ipairs { ... } do
      if argv[i] == name then return true end
    end
  end
  return false
end

return M
