---@meta bittern.report
-- Generated from lua/report.lua by docs/generate.lua (`make docs`); edit there.

--- All printing. Data goes to stdout, everything for people to stderr.
---@class bittern.report
local M = {}

--- Set once by the command line.
---@param options table {json=, quiet=, verbose=, color="auto"|"always"|"never", progress="auto"|"json"|"none", input= whether questions may be asked}
function M.configure(options) end

--- Whether stdout carries JSON only.
function M.is_json() end

--- Outside text made safe for a terminal: no control bytes, no escape sequences.
---@param text string string
---@param keep_lines boolean boolean, lets line feeds and tabs through
function M.clean(text, keep_lines) end

--- One line of data.
---@param text string
function M.out(text) end

--- Bytes that are no UTF-8, as file names may have, become U+FFFD: JSON cannot hold them.
---@param text string
function M.valid(text) end

--- One object of data, as JSON on one line.
---@param value any
function M.data(value) end

--- A line for people.
---@param text string
function M.say(text) end

--- A line for people who asked for more.
---@param text string
function M.detail(text) end

--- A question, which the answer follows on the same line.
---@param text string
function M.prompt(text) end

--- Whether nothing may be asked: --no-input.
function M.is_mute() end

--- Whether somebody is at a terminal, to read a question and to answer it.
function M.can_ask() end

--- Asks for a yes. No is what the line says else, and when there is none.
---@param text string of the question
---@return boolean # boolean.
function M.ask(text) end

--- Something is not as it should be, but work goes on.
---@param text string
function M.warn(text) end

--- The failure of a command: one line, and what to do next.
---@param message string what happened
---@param code string its id
---@param next_step? any what to do, or nil
---@param exit integer integer, the exit code
---@param excerpt? any lines of a script that the message speaks of, or nil
function M.failure(message, code, next_step, exit, excerpt) end

--- Text for the right of a label: where a terminal is too narrow, its further lines stand below its first. What goes elsewhere stays one line.
---@param stream any 1 for stdout, 2 for stderr
---@param indent any columns before the text
---@param text string string
---@return string # string.
function M.hang(stream, indent, text) end

--- One step of a longer piece of work: `name  text`.
---@param name string
---@param text string
function M.step(name, text) end

--- 1234567 -> "1,234,567".
---@param n integer
function M.thousands(n) end

--- Seconds in the largest unit that fits: 7300 -> "2 h".
---@param seconds number
function M.age(seconds) end

--- Lines of a table with aligned columns; numbers are right-aligned.
---@param columns table array of {title, right = boolean, spare = true for what a narrow terminal leaves out, cut = true for what it cuts: pipes have all of it}
---@param rows table array of arrays of strings
---@return table # array of strings.
function M.table(columns, rows) end

--- Long work: one line that is redrawn on a terminal, one line every 30 s off it; JSON or nothing with --progress.
---@param options? table {label=, total= in units or nil, unit= "B" or a word, terminal= whether stderr is one; asked of the system when nil}
---@return any? # object with update(self, done, note = what is known so far, or nil) and finish(self).
function M.progress(options) end

return M
