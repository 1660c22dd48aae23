-- All printing. Data goes to stdout, everything for people to stderr.
local sys = require "core.sys"
local json = require "bittern.json"
local progress = require "bittern.report.progress"
local table_of = require "bittern.report.table"
local wrap = require "bittern.report.wrap"

local M = {}

local EPIPE <const>, ENOSPC <const> = 32, 28

local settings = { json = false, quiet = false, verbose = false, color = false, progress = "auto",
  input = true }

-- What a variable of the environment says; empty says nothing.
local function said(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

-- The command line comes first, then NO_COLOR, then CLICOLOR_FORCE, then what stderr is.
local function wants_color(choice)
  if choice ~= "auto" then return choice == "always" end
  if said "NO_COLOR" then return false end
  if (said "CLICOLOR_FORCE" or "0") ~= "0" then return true end
  return sys.isatty(2) and os.getenv("TERM") ~= "dumb" and said "CLICOLOR" ~= "0"
end

--- Set once by the command line.
-- @param options {json=, quiet=, verbose=, color="auto"|"always"|"never",
--   progress="auto"|"json"|"none", input= whether questions may be asked}
function M.configure(options)
  for key, value in pairs(options) do settings[key] = value end
  settings.color = wants_color(options.color or "auto")
end

--- Whether stdout carries JSON only.
function M.is_json()
  return settings.json
end

--- Outside text made safe for a terminal: no control bytes, no escape sequences.
-- @param text string
-- @param keep_lines boolean, lets line feeds and tabs through
function M.clean(text, keep_lines)
  text = tostring(text):gsub("\27%[[%d;?]*%a", ""):gsub("\27%][^\7\27]*\7?", "")
  -- C1 controls are two bytes in UTF-8: C2 80..9F.
  text = text:gsub("\xC2[\x80-\x9F]", "")
  if keep_lines then return (text:gsub("[%z\1-\8\11-\31\127]", "")) end
  return (text:gsub("%c", " "))
end

-- true, or nil, message, code
local function write(stream, text)
  local ok, message, number = stream:write(text, "\n")
  if ok then ok, message, number = stream:flush() end
  if ok then return true end
  local code = number == EPIPE and "closed_pipe" or number == ENOSPC and "disk_full" or "io"
  return nil, tostring(message), code
end

-- A full disk or a closed pipe ends the run: data nobody receives is not done.
local function put(text)
  local ok, message, code = write(io.stdout, text)
  if not ok then error({ message = "stdout: " .. message, code = code }, 0) end
end

--- One line of data.
function M.out(text)
  put(text)
end

--- Bytes that are no UTF-8, as file names may have, become U+FFFD: JSON cannot hold them.
function M.valid(text)
  local parts, from = {}, 1
  while true do
    local ok, bad = utf8.len(text, from)
    if ok then break end
    parts[#parts + 1] = text:sub(from, bad - 1)
    from = bad + 1
  end
  parts[#parts + 1] = text:sub(from)
  return table.concat(parts, "\u{FFFD}")
end

local function all_valid(value)
  if type(value) == "string" then return M.valid(value) end
  if type(value) ~= "table" then return value end
  local copy = setmetatable({}, getmetatable(value))
  for key, member in pairs(value) do copy[all_valid(key)] = all_valid(member) end
  return copy
end

-- One line of JSON.
local function line_of(value)
  return json.encode(value) or assert(json.encode(all_valid(value)))
end

--- One object of data, as JSON on one line.
function M.data(value)
  put(line_of(value))
end

-- Whether a terminal shows a line of progress, which the next line must not continue.
local in_progress = false

local function wipe()
  if in_progress then io.stderr:write("\r\27[K") end
  in_progress = false
end

-- People's text is worth nothing to a script that fails for want of a reader.
local function tell(text)
  wipe()
  io.stderr:write(text, "\n")
end

--- A line for people.
function M.say(text)
  if not settings.quiet then tell(text) end
end

--- A line for people who asked for more.
function M.detail(text)
  if settings.verbose then tell(text) end
end

local function paint(code, text)
  return settings.color and "\27[" .. code .. "m" .. text .. "\27[0m" or text
end

--- A question, which the answer follows on the same line.
function M.prompt(text)
  wipe()
  io.stderr:write(M.clean(text))
  io.stderr:flush()
end

--- Whether nothing may be asked: --no-input.
function M.is_mute()
  return not settings.input
end

--- Whether somebody is at a terminal, to read a question and to answer it.
function M.can_ask()
  return settings.input and sys.isatty(0) and sys.isatty(2)
end

--- Asks for a yes. No is what the line says else, and when there is none.
-- @param text of the question
-- @return boolean
function M.ask(text)
  M.prompt(text .. " [y/N] ")
  return (io.stdin:read("l") or ""):lower():find("^ye?s?$") ~= nil
end

--- Something is not as it should be, but work goes on.
function M.warn(text)
  tell(paint("33", "warning: ") .. M.clean(text, true))
end

--- The failure of a command: one line, and what to do next.
-- @param message what happened
-- @param code its id
-- @param next_step what to do, or nil
-- @param exit integer, the exit code
-- @param excerpt lines of a script that the message speaks of, or nil
function M.failure(message, code, next_step, exit, excerpt)
  local failure = { id = code or "error", message = message, next = next_step, exit = exit }
  -- When stdout is what fails, people may still hear of it.
  if settings.json and write(io.stdout, line_of { error = failure }) then return end
  tell(paint("31", "bittern: ") .. M.clean(message, true))
  if excerpt then tell(M.clean(excerpt, true)) end
  if next_step then tell("  next: " .. next_step) end
end

--- Text for the right of a label: where a terminal is too narrow, its further lines stand below
-- its first. What goes elsewhere stays one line.
-- @param stream 1 for stdout, 2 for stderr
-- @param indent columns before the text
-- @param text string
-- @return string
function M.hang(stream, indent, text)
  if not sys.isatty(stream) then return text end
  local lines = wrap(text, sys.columns(stream), (" "):rep(indent))
  return table.concat(lines, "\n"):sub(indent + 1)
end

--- One step of a longer piece of work: `name  text`.
function M.step(name, text)
  M.say(("  %s %s"):format(paint("1", ("%-9s"):format(name)), M.hang(2, 12, text)))
end

--- 1234567 -> "1,234,567".
function M.thousands(n)
  local digits = ("%d"):format(n)
  return (digits:reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^(-?),", "%1"))
end

--- Seconds in the largest unit that fits: 7300 -> "2 h".
function M.age(seconds)
  for _, unit in ipairs { { 86400, "d" }, { 3600, "h" }, { 60, "min" } } do
    if seconds >= unit[1] then return ("%d %s"):format(seconds // unit[1], unit[2]) end
  end
  return ("%d s"):format(seconds // 1)
end

--- Lines of a table with aligned columns; numbers are right-aligned.
-- @param columns array of {title, right = boolean, spare = true for what a narrow terminal leaves
--   out, cut = true for what it cuts: pipes have all of it}
-- @param rows array of arrays of strings
-- @return array of strings
function M.table(columns, rows)
  return table_of(columns, rows)
end

local function redraw(text)
  wipe()
  io.stderr:write(text)
  in_progress = true
end

--- Long work: one line that is redrawn on a terminal, one line every 30 s off it; JSON or nothing
-- with --progress.
-- @param options {label=, total= in units or nil, unit= "B" or a word, terminal= whether stderr is
--   one; asked of the system when nil}
-- @return object with update(self, done, note = what is known so far, or nil) and finish(self)
function M.progress(options)
  local wanted = settings.quiet and "none" or settings.progress
  return progress.new(options, {
    wanted = wanted, age = M.age, write = tell, redraw = redraw, wipe = wipe,
  })
end

return M
