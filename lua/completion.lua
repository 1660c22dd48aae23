-- What may stand where the user is typing: commands, options, live slugs, recipes, tensors, files.
-- Shells ask at every press of a key, so nothing waits for a network and one command is loaded.
local check = require "bittern.check"
local config = require "bittern.config"
local elements = require "bittern.cli.elements"
local overview = require "bittern.cli.overview"
local parsers = require "bittern.cli.parser"
local script = require "bittern.script"
local values = require "bittern.completion.values"

local M = {}

-- bash splits words at `=`: "--to", "=", "x" is "--to=x" again.
local function joined(words)
  local list = {}
  for i, word in ipairs(words) do
    local before = list[#list]
    local joins = before and before:find("^%-%-[%w-]+=?$")
      and (word == "=" or before:sub(-1) == "=" and words[i - 1] == "=")
    if joins then list[#list] = before .. word else list[#list + 1] = word end
  end
  return list
end

local function commands()
  local list = {}
  for i, command in ipairs(overview.commands()) do list[i] = { command.name, command.about } end
  for name, words in pairs(config.aliases()) do
    list[#list + 1] = { name, table.concat(words, " ") }
  end
  list[#list + 1] = { "help", "what there is, or one command's help" }
  return list
end

local function names_of(options)
  local list = {}
  for _, option in ipairs(options) do
    for _, name in ipairs(option.names) do list[#list + 1] = { name, option.about } end
  end
  return list
end

local function by_name(options)
  local found = {}
  for _, option in ipairs(options) do
    for _, name in ipairs(option.names) do found[name] = option end
  end
  return found
end

-- The options that were given, and the words that belong to arguments.
local function read(words, first, options)
  local given, rest, i = {}, {}, first
  while i < #words do
    local name, value = words[i]:match("^(%-%-?[%w-]+)=?(.*)$")
    local option = name and options[name]
    if option and not option.flag and not words[i]:find("=", 1, true) then
      value, i = words[i + 1], i + 1
    end
    if option then given[option.names[#option.names]] = value
    elseif words[i]:sub(1, 1) ~= "-" then rest[#rest + 1] = words[i] end
    i = i + 1
  end
  return given, rest
end

-- The argument that word number `n` belongs to.
local function argument_at(arguments, n)
  for _, argument in ipairs(arguments) do
    if n <= argument.most then return argument end
    n = n - argument.most
  end
  return nil
end

-- The option whose value is being typed, what is typed of it, and what stands before it.
local function open_option(words, options)
  local current, previous = words[#words], words[#words - 1]
  local name, value = current:match("^(%-%-[%w-]+)=(.*)$")
  if name then return options[name], value, name .. "=" end
  local option = previous and options[previous]
  if option and not option.flag then return option, current, "" end
  return nil
end

local function after_command(words, at, world)
  local command = script.find("cmd", words[at])
  if not command then return {} end
  local parser = parsers.of(words[at], command)
  local options = elements.options(parser)
  local known = by_name(options)
  local given, rest = read(words, at + 1, known)
  world.given, world.rest, world.options = given, rest, options
  local option, typed, prefix = open_option(words, known)
  if option then
    if option.flag then return {} end
    return option.choices or values.of_option(option, typed, world), prefix
  end
  if words[#words]:sub(1, 1) == "-" then return names_of(options) end
  local argument = argument_at(elements.arguments(parser), #rest + 1)
  if not argument then return {} end
  return argument.choices or values.of_argument(argument, words[#words], world)
end

local function before_command(words, world)
  local options = elements.options(parsers.of("", nil))
  local option, typed, prefix = open_option(words, by_name(options))
  if option then return option.choices or values.of_option(option, typed, world), prefix end
  if words[#words]:sub(1, 1) == "-" then return names_of(options) end
  return commands()
end

-- What begins as the typed word does, each with its prefix; sorted, once each.
local function fitting(list, typed, prefix)
  local found = {}
  for _, entry in ipairs(list) do
    local text = type(entry) == "table" and entry[1] or entry
    local about = type(entry) == "table" and entry[2] or ""
    if text:sub(1, #typed) == typed then found[prefix .. text] = about end
  end
  local result = {}
  for i, text in ipairs(check.sorted_keys(found)) do
    result[i] = { text = text, about = found[text] }
  end
  return result
end

--- What may stand where the last word is being typed.
-- @param words the words behind `bittern`; the last one is being typed and may be ""
-- @param world {coordinator= its address or nil, env= function}
-- @return "words", array of {text, about}; or "files" or "folders", which the shell itself lists
function M.candidates(words, world)
  words = joined(words)
  if #words == 0 then words = { "" } end
  local at = parsers.command_index({ table.unpack(words, 1, #words - 1) })
  words = config.expand(words, at)
  world.coordinator = parsers.option_value(words, "--coordinator") or world.coordinator
  if at and words[at] == "help" then return "words", fitting(commands(), words[#words], "") end
  local list, prefix
  if at then list, prefix = after_command(words, at, world)
  else list, prefix = before_command(words, world) end
  if type(list) == "string" then return list, {} end
  local typed = words[#words]:sub(#(prefix or "") + 1)
  -- A shell that splits at `=` completes what stands behind it.
  return "words", fitting(list, typed, world.splits and "" or prefix or "")
end

return M
