-- Manual pages (man(7)), made from the parsers: what `--help` says, and nothing else to keep true.
local elements = require "bittern.cli.elements"
local errors = require "bittern.errors"
local parsers = require "bittern.cli.parser"
local script = require "bittern.script"
local version = require "bittern.version"

local M = {}

-- Text as roff has it: backslashes and hyphens are characters, no line is a request.
local function roff(text)
  text = text:gsub("\\", "\\e"):gsub("-", "\\-")
  return (text:gsub("%f[^\n\0]([.'])", "\\&%1"))
end

local function bold(text) return "\\fB" .. roff(text) .. "\\fR" end
local function italic(text) return "\\fI" .. roff(text) .. "\\fR" end

local function section(lines, title)
  lines[#lines + 1] = ".SH " .. title
end

local function entry(lines, label, text)
  table.move({ ".TP", label, roff(text) }, 1, 3, #lines + 1, lines)
end

-- "--recipe RECIPE", "--color auto|always|never"
local function label_of(option)
  local names = {}
  for i, name in ipairs(option.names) do names[i] = bold(name) end
  local value = option.value and italic(option.value)
    or not option.flag and option.choices and roff(table.concat(option.choices, "|"))
  return table.concat(names, ", ") .. (value and " " .. value or "")
end

local function about_of(element)
  local parts = { element.about ~= "" and element.about or nil }
  if element.default and element.default ~= "" then
    parts[#parts + 1] = ("(default: %s)"):format(tostring(element.default))
  end
  if element.repeated and element.names then parts[#parts + 1] = "(may be repeated)" end
  return #parts > 0 and table.concat(parts, " ") or "see below"
end

local function argument_label(argument)
  local text = italic(argument.name:upper())
  if argument.repeated then text = text .. " ..." end
  return argument.required and text or "[" .. text .. "]"
end

-- The parser's options in two: the command's own, and those of every command.
local function options_of(parser)
  local general, own, shared = {}, {}, {}
  for _, option in ipairs(elements.options(parsers.of("", nil))) do
    general[option.names[#option.names]] = true
  end
  for _, option in ipairs(elements.options(parser)) do
    local list = general[option.names[#option.names]] and shared or own
    list[#list + 1] = option
  end
  return own, shared
end

local function synopsis(name, own, arguments)
  local parts = { bold("bittern " .. name) }
  for _, option in ipairs(own) do
    if option.required then parts[#parts + 1] = label_of(option) end
  end
  parts[#parts + 1] = "[" .. italic("options") .. "]"
  for _, argument in ipairs(arguments) do parts[#parts + 1] = argument_label(argument) end
  return table.concat(parts, " ")
end

local function heading(name, about)
  return {
    ('.\\" Generated from the command line\'s parsers by docs/man.lua.'),
    (".TH %s 1 \"\" \"bittern %s\" \"User Commands\""):format(roff(name:upper()), version),
    ".SH NAME", roff(name) .. " \\- " .. roff(about), ".SH SYNOPSIS",
  }
end

local function add_options(lines, title, options)
  if #options == 0 then return end
  section(lines, title)
  for _, option in ipairs(options) do entry(lines, label_of(option), about_of(option)) end
end

--- The page of one command.
-- @param name of the command
-- @param command its script's table
-- @return text
function M.page(name, command)
  local parser = parsers.of(name, command)
  local own, shared = options_of(parser)
  local arguments = elements.arguments(parser)
  local lines = heading("bittern-" .. name, command.about)
  lines[#lines + 1] = synopsis(name, own, arguments)
  if #arguments > 0 then section(lines, "ARGUMENTS") end
  for _, argument in ipairs(arguments) do
    local about = about_of(argument)
    entry(lines, argument_label(argument), about)
  end
  add_options(lines, "OPTIONS", own)
  add_options(lines, "OPTIONS OF EVERY COMMAND", shared)
  if elements.epilog(parser) then
    section(lines, "DETAILS")
    table.move({ ".nf", roff(elements.epilog(parser)), ".fi" }, 1, 3, #lines + 1, lines)
  end
  section(lines, "EXIT STATUS")
  lines[#lines + 1] = "0 when it is done; see " .. bold("bittern") .. "(1) for the others."
  section(lines, "SEE ALSO")
  lines[#lines + 1] = bold("bittern") .. "(1)"
  return table.concat(lines, "\n") .. "\n"
end

--- The page of the program as a whole.
-- @param commands array of {name, about}
function M.main_page(commands)
  local lines = heading("bittern", "from a live task to an accepted submission")
  lines[#lines + 1] = bold "bittern" .. " [" .. italic "options" .. "] " .. italic "command"
    .. " ..."
  section(lines, "COMMANDS")
  for _, command in ipairs(commands) do
    entry(lines, bold("bittern-" .. command.name) .. "(1)", command.about)
  end
  add_options(lines, "OPTIONS OF EVERY COMMAND", elements.options(parsers.of("", nil)))
  section(lines, "EXIT STATUS")
  for _, exit in ipairs(errors.exits) do entry(lines, ("%d"):format(exit[1]), exit[2]) end
  return table.concat(lines, "\n") .. "\n"
end

--- Every page of what is installed; a user's own commands have `--help`.
-- @return {["bittern-tasks.1"] = text}
function M.pages()
  local pages, commands = {}, {}
  for _, found in ipairs(script.list "cmd") do
    local command = found.from == "installed" and assert(script.load(found.path, "cmd"))
    if command then
      commands[#commands + 1] = { name = found.name, about = command.about }
      pages[("bittern-%s.1"):format(found.name)] = M.page(found.name, command)
    end
  end
  pages["bittern.1"] = M.main_page(commands)
  return pages
end

return M
