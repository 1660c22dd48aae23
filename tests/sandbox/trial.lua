-- One hostile script in a sandbox: what it said, and how long it took to end.
local fs = require "core.fs"
local lfs = require "lfs"
local sys = require "core.sys"

local sandbox = require "bittern.sandbox"

local M = {}

local TENSOR <const> = { name = "a.weight", rank = 2, shape = { 8, 32 }, rows = 8, cols = 32 }

local function call(session, limits)
  local functions = { keep = function() return {} end }
  return session:call("tensor", functions, { subject = TENSOR, args = {}, bits = 1.3 }, limits)
end

--- Loads a script and calls its tensor function once.
-- @param script {name=, text=}
-- @param limits {seconds=, memory=} of each of the two
-- @return {said= text, seconds= the longer of the two took, escaped= boolean}
function M.run(script, limits)
  local started = sys.clock()
  local value, message = sandbox.load("/trial.lua", script.text, limits)
  local loaded = sys.clock() - started
  local session <close> = sandbox.session(value)
  local called = 0
  if session and session.lines.tensor then
    started = sys.clock()
    local _, problem = call(session, limits)
    message = type(problem) == "table" and problem.message or problem
    called = sys.clock() - started
  end
  local said = tostring(message or "nothing")
  return { said = said, seconds = math.max(loaded, called),
    escaped = said:find("ESCAPED", 1, true) ~= nil }
end

--- What must be as before: children of this process, and its open files.
-- @return number of children, number of files
function M.left_over()
  local children, files = 0, 0
  for _ in (fs.read(("/proc/%d/task/%d/children"):format(sys.pid(), sys.pid())) or "")
    :gmatch("%d+") do
    children = children + 1
  end
  for _ in lfs.dir "/proc/self/fd" do files = files + 1 end
  return children, files
end

return M
