-- The line of a script that a message speaks of, as it stands in the file, with a caret below the
-- word that the message names:
--     12 |   return ctx.lowbit { codec = "b1", grup = 64 }
--        |                                     ^
local fs = require "core.fs"

local M = {}

local WIDTH <const>, MOST_BYTES <const> = 76, 1 << 20

-- Scripts that were compiled. Lua shortens long names of chunks to `...their/end.lua`.
local compiled = {}

--- Notes that a message may speak of this file.
-- @param path of a script
function M.remember(path)
  compiled[path] = true
end

local function whole(shown)
  local ending = shown:match("^%.%.%.(.+)$")
  if not ending then return compiled[shown] and shown or nil end
  for path in pairs(compiled) do
    if path:sub(-#ending) == ending then return path end
  end
  return nil
end

local function line_of(path, number)
  local text = fs.read(path, MOST_BYTES)
  local count = 0
  for line in ((text or "") .. "\n"):gmatch("([^\n]*)\n") do
    count = count + 1
    if count == number then return (line:gsub("\r$", ""):gsub("\t", "  ")) end
  end
  return nil
end

-- Where a message's quoted words stand in a line: the first that stands there once, as a whole.
local function column_of(line, message)
  for word in message:gmatch("'([^']+)'") do
    local pattern = word:gsub("%W", "%%%0")
    if word:find "^[%w_]+$" then pattern = "%f[%w_]" .. pattern .. "%f[^%w_]" end
    local first = line:find(pattern)
    if first and not line:find(pattern, first + 1) then return first end
  end
  return nil
end

-- A line too long for the terminal is cut on both sides of what matters.
local function window(line, column)
  local from = math.max(1, (column or 1) - WIDTH // 2)
  if #line <= WIDTH then from = 1 end
  return line:sub(from, from + WIDTH - 1), column and column - from + 1
end

--- The place that a message names, for people to look at.
-- @param message text that holds `path:line: ` of a script that was loaded
-- @return the message with the whole path in it, and the lines to show below it or nil
function M.of(message)
  local shown, number, rest = message:match("([^%s:]*%.lua):(%d+): (.*)")
  local path = shown and whole(shown)
  if not path then return message, nil end
  if path ~= shown then
    local at = message:find(shown, 1, true)
    message = message:sub(1, at - 1) .. path .. message:sub(at + #shown)
  end
  local line = line_of(path, math.tointeger(tonumber(number)))
  if not line or not line:find("%S") then return message, nil end
  local text, column = window(line, column_of(line, rest))
  local margin = ("%5s | "):format(number)
  local caret = column and "\n" .. (" "):rep(6) .. "| " .. (" "):rep(column - 1) .. "^" or ""
  return message, margin .. text .. caret
end

return M
