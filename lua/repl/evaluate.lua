-- One input of the prompt: compiled as an expression or as statements, run so that Ctrl-C ends it
-- and an error tells where it is.
local limit = require "core.limit"

local help = require "bittern.reference.help"
local modules = require "bittern.repl.modules"
local report = require "bittern.report"

local M = {}

local CHUNK <const>, FRAMES <const> = "=prompt", 8

local HELP <const> = [[
An expression shows its value; `x = 1` keeps it, `_` is the value before. An input goes on until it
is whole. core and bittern hold every module: core.sha256.hex "text", bittern.task.
Tab completes, the arrows and Ctrl-R find what was typed before, Ctrl-C gives a line up, Ctrl-D
leaves. help(x) tells of a module or a function, help "core.map" of a name.]]

local function show_help(...)
  if select("#", ...) == 0 then return report.out(HELP) end
  local text, message = help.of((...))
  report.out(text or message)
end

--- The globals of a prompt: everything that `bittern run` gives, help, core and bittern.
-- @return table
function M.globals()
  local own = { help = show_help, core = modules.table "core", bittern = modules.table "bittern" }
  return setmetatable(own, { __index = _G })
end

--- Compiles an input.
-- @param text of one or more lines; a leading `=` asks for a value, as it did in older Lua
-- @param env the globals
-- @return function; false when more lines are to come; or nil, message
function M.compile(text, env)
  local expression = text:gsub("^%s*=", "")
  local chunk = load("return " .. expression, CHUNK, "t", env)
  if chunk then return chunk end
  local message
  chunk, message = load(text, CHUNK, "t", env)
  if chunk then return chunk end
  if message:find("<eof>", 1, true) then return false end
  return nil, message
end

-- The frames of the input itself: none of those that called it.
local function frames(traceback)
  local list = {}
  for line in traceback:gmatch("\n\t([^\n]*)") do
    if line:find("in function 'xpcall'", 1, true) then break end
    list[#list + 1] = "  " .. line
  end
  -- The first frame stands in the message, the last is the input as a whole.
  if #list <= 2 then return "" end
  if #list > FRAMES then list = { "  ...", table.unpack(list, #list - FRAMES + 1) } end
  return "\n" .. table.concat(list, "\n")
end

local function describe(raised)
  if type(raised) == "table" and raised.message then return tostring(raised.message) end
  return tostring(raised) .. frames(debug.traceback("", 2))
end

--- Runs a compiled input.
-- @param chunk function
-- @return true and its results, or false and what to tell
function M.run(chunk)
  local done = table.pack(limit.interruptible(function()
    return xpcall(chunk, describe)
  end))
  if not done[1] then return false, tostring(done[2]) end
  return table.unpack(done, 2, done.n)
end

return M
