-- Scripts of strangers, in a child process that has no file, no network, no key and little time
-- (core.sandbox). The child runs lua/sandbox/child.lua; what it says is never believed, only
-- checked.
local limit = require "core.limit"
local sys = require "core.sys"

local fault = require "bittern.compress.fault"
local message = require "bittern.sandbox.message"
local start = require "bittern.sandbox.start"

local M = {}

-- What the child is given for its answer beyond what the script is given for its work.
local GRACE <const> = 0.25
local USUAL_SECONDS <const> = 10 -- core.limit's
local QUESTIONS_MAX <const> = 10000
local TEXT_MAX <const>, WORDS_MAX <const> = 1000, 4 -- of what the child says of a mistake

-- By what M.load returned.
local sessions = setmetatable({}, { __mode = "k" })

--- What holds in a sandbox on this machine.
-- @return array of {name=, error= errno, 0 when it holds}; nil, or why no stranger's script can run
--   here; or nil, message, code
function M.layers()
  local child, why, code = start.child()
  if not child then return nil, why, code end
  child.box:close()
  return child.layers, start.refusal(child.layers)
end

-- One message of the child, before its time is over.
-- Returns a table, or nil, what is wrong with the script, code.
local function hear(self, deadline)
  local text, why, code = self.box:receive(math.max(0, deadline - sys.clock()))
  local said = text and message.decode(text)
  if said then return said end
  self.box:close()
  if code == "interrupted" then return nil, why, code end
  if code == "timeout" then why = ("took longer than %g s"):format(self.seconds) end
  return nil, why or "the sandbox says what is no message", "script_limit"
end

local function say(self, value, deadline)
  local sent, why, code = self.box:send(message.encode(value), math.max(0, deadline - sys.clock()))
  if sent then return true end
  self.box:close()
  return nil, why, code == "interrupted" and code or "script_limit"
end

local function short(text)
  return #text <= TEXT_MAX and text or text:sub(1, TEXT_MAX) .. "..."
end

-- The words that a mistake is about: a few, whatever the child says.
local function words(list)
  local clean = {}
  for i, text in ipairs(type(list) == "table" and list or {}) do
    if i <= WORDS_MAX then clean[i] = short(tostring(text)) end
  end
  return clean
end

-- What the script raised, as core.limit gives it: problem, code.
local function problem_of(self, said)
  local code = said.code == "script_limit" and said.code or nil
  if type(said.fault) == "string" then
    local line = math.type(said.line) == "integer" and said.line or nil
    return setmetatable({ message = short(said.fault), keys = words(said.keys),
      lines = { [self.path] = line } }, fault.Fault), code
  end
  if type(said.text) == "string" then return short(said.text), code end
  local kind = type(said.kind) == "string" and short(said.kind) or "value"
  return setmetatable({ message = "raised a " .. kind, keys = { "error" }, lines = {} },
    fault.Fault), code
end

-- The child asks for one of the functions of ctx.
local function reply_to(said, functions, given)
  local ask = type(said.ask) == "string" and functions[said.ask]
  if not ask then return { fault = "no such function of ctx", keys = {} } end
  local ok, result, late = limit.call({ seconds = 1 }, ask, said.options)
  if ok then
    given[#given + 1] = result
    return { token = #given }
  end
  if late then return { fault = "asks too much of ctx", keys = { said.ask } } end
  if getmetatable(result) ~= fault.Fault then error(result, 0) end
  return { fault = result.message, keys = result.keys }
end

local Session = {}
Session.__index = Session

-- Asks, answers the child's questions, and gives its answer.
local function converse(self, request, functions)
  if not self.box:pid() then return nil, "the sandbox has ended", "script_limit" end
  self.seconds = request.limits.seconds or USUAL_SECONDS
  local given, deadline = {}, sys.clock() + self.seconds + GRACE
  local sent, why, code = say(self, request, deadline)
  while sent do
    local said
    said, why, code = hear(self, deadline)
    if not said then break end
    if said.ask == nil then return said, given end
    if #given == QUESTIONS_MAX then
      return nil, ("asked for more than %d actions"):format(QUESTIONS_MAX), "script_limit"
    end
    sent, why, code = say(self, reply_to(said, functions, given), deadline)
  end
  return nil, why, code
end

--- Calls a function of the script with a ctx of its own.
-- @param name of the function
-- @param functions {name = function(options) -> token} of ctx
-- @param data {subject=, args=, bits=}: what it gets beside ctx, and what ctx holds
-- @param limits {seconds=, memory=}
-- @return true, what the function of ctx gave that it returned, or nil and the type of what it
--   returned instead; or false, what it raised, code
function Session:call(name, functions, data, limits)
  local request = { request = "call", name = name, functions = {}, limits = limits }
  for key in pairs(functions) do request.functions[#request.functions + 1] = key end
  for key, value in pairs(data) do request[key] = value end
  local said, given, code = converse(self, request, functions)
  if not said then return false, given, code end
  if said.failed then return false, problem_of(self, said) end
  return true, given[said.token], tostring(said.kind)
end

--- Ends the child.
function Session:close()
  self.box:close()
end

Session.__close = Session.close

local function is_line(number)
  return math.type(number) == "integer" and number > 0
end

-- The lines of its functions: {name = {first, last}}
local function lines_of(said, script)
  local lines = {}
  for name, field in pairs(script) do
    local place = type(said) == "table" and said[name]
    local known = type(place) == "table" and is_line(place[1]) and is_line(place[2])
    if field == message.opaque then lines[name] = known and { place[1], place[2] } or { 1, 1 } end
  end
  return lines
end

-- Teaches the child what it needs, and lets it load the script.
local function bring(self, path, text, limits)
  local taught, why, code = start.teach(self.box)
  if not taught then return nil, why, code end
  local request = { request = "load", path = path, text = text, limits = limits }
  local said, given, id = converse(self, request, {})
  if not said then return nil, ("%s:1: %s"):format(path, given), id end
  if not said.failed then return said end
  local problem, limited = problem_of(self, said)
  if type(problem) == "table" then problem = problem.message end
  local placed = problem:find(":%d+: ") and problem or ("%s:1: %s"):format(path, problem)
  return nil, placed, limited or "script"
end

--- Loads a script into a sandbox of its own.
-- @param path for messages: nothing is read there
-- @param text of the script
-- @param limits {seconds=, memory=}
-- @return what it returned, its functions as stand-ins: M.session has the way to them; or nil,
--   message, code
function M.load(path, text, limits)
  local self, why, code = start.child()
  if not self then return nil, why, code end
  setmetatable(self, Session)
  self.path = path
  local said
  local refused = start.refusal(self.layers)
  if refused then
    why, code = ("%s: %s"):format(path, refused), "untrusted"
  else
    said, why, code = bring(self, path, text, limits)
  end
  if not said then
    self:close()
    return nil, why, code
  end
  if type(said.value) ~= "table" then
    self:close()
    return said.value
  end
  self.lines = lines_of(said.lines, said.value)
  sessions[said.value] = self
  return said.value
end

--- The sandbox that a script lives in.
-- @param script what M.load returned
-- @return {call=, lines = {function = {first, last}}, close=}, or nil when it is in none
function M.session(script)
  return sessions[script]
end

return M
