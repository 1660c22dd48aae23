-- Where the password of an encrypted hotkey file comes from: a file, a file descriptor, or somebody
-- at a terminal who is asked. Never the command line, never the environment.
local keybox = require "core.keybox"
local sys = require "core.sys"

local access = require "bittern.keyfile.access"
local report = require "bittern.report"

local M = {}

local ATTEMPTS <const> = 3
local STDIN <const> = 0

-- The first line of a file, whose bytes then live as long as the slice.
local function first_line(path)
  local text, info = keybox.read(path)
  if not text then return nil, "password file " .. info, "config" end
  for _, warning in ipairs(access.warnings(path, info)) do report.warn(warning) end
  local last = (text:find("\n") or #text + 1) - 1
  if text:find("\r") == last then last = last - 1 end
  return text:slice(1, last)
end

local function line_of(fd)
  local line, message, code = keybox.line(fd)
  if line or code == "interrupted" then return line, message, code end
  return nil, "password of " .. message, "config"
end

local function typed(path, attempt)
  if attempt > 1 then report.warn("the password does not open it") end
  report.prompt("password of " .. path .. ": ")
  return line_of(STDIN)
end

-- A password that is asked for so many times.
local function times(count, get)
  return function(attempt)
    if attempt > count then return nil end
    local password, message, code = get(attempt)
    if not password then return nil, message, code end
    if #password == 0 then return nil, "the password is empty", "key_password" end
    return password
  end
end

--- What asks for the password of one file.
-- @param options {password_file=, password_fd= integer, terminal= whether stdin is one}
-- @param path the encrypted file's, for people
-- @return function(attempt) -> secret, or nil, message, code when there is no (further) password
function M.source(options, path)
  local file, fd = options.password_file, options.password_fd
  if file then return times(1, function() return first_line(file) end) end
  if fd then return times(1, function() return line_of(fd) end) end
  local terminal = options.terminal
  if terminal == nil then terminal = sys.isatty(STDIN) and not report.is_mute() end
  if not terminal then
    return function()
      return nil, "is encrypted, and nobody may be asked", "key_encrypted"
    end
  end
  return times(ATTEMPTS, function(attempt) return typed(path, attempt) end)
end

return M
