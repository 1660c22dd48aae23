-- Files of tests in busted's words (describe, it, before_each, assert), run inside this program.
local sys = require "core.sys"

local M = {}

--- Whether busted is installed.
-- @return true, or nil, message, "not_installed"
function M.ready()
  if package.searchpath("busted.core", package.path) then return true end
  return nil, "tests need busted, which is not here: apt install lua-busted", "not_installed"
end

local function message_of(message)
  if type(message) ~= "table" then return tostring(message) end
  return message.message or require("pl.pretty").write(message)
end

-- "bittern.task finds by slug": the names of what a test stands in, and its own.
local function full_name(busted, element)
  local names = {}
  while element and element.descriptor ~= "file" and element.name do
    table.insert(names, 1, element.name)
    element = busted.context.parent(element)
  end
  return table.concat(names, " ")
end

-- What busted said of a failure.
local function failure_of(message, trace)
  return { message = message_of(message), file = trace and trace.short_src,
    line = trace and trace.currentline }
end

-- Turns busted's events into a record for each test, and one for whatever else fails.
local function listen(busted, tell)
  local failures, started = {}, {}
  local words = { success = "passed", pending = "skipped" }
  local function on(event, act)
    busted.subscribe(event, function(...)
      act(...)
      return nil, true
    end)
  end
  local function record(element, status)
    local failure, now = failures[element] or {}, sys.clock()
    tell.test {
      name = full_name(busted, element), status = status, message = failure.message,
      file = failure.file, line = failure.line, seconds = now - (started[element] or now),
    }
  end
  local function failed(element, _, message, trace)
    failures[element] = failure_of(message, trace)
    if element.descriptor ~= "it" then record(element, "failed") end
  end
  on({ "failure" }, failed)
  on({ "error" }, failed)
  on({ "test", "start" }, function(element) started[element] = sys.clock() end)
  on({ "test", "end" }, function(element, _, status) record(element, words[status] or "failed") end)
  if tell.file then on({ "file", "start" }, function(file) tell.file(file.name) end) end
end

--- Runs files of tests in this process.
-- @param files array of paths
-- @param tell {test = function(record), file = function(path) or nil}; a record is {name=,
--   status= "passed"|"failed"|"skipped", seconds=, and of failures message=, file=, line=}
function M.run(files, tell)
  local busted = require "busted.core"()
  require "busted"(busted)
  listen(busted, tell)
  local load_file = require "busted.modules.test_file_loader"(busted, { "lua" })
  load_file(files, { "%.lua$" }, { excludes = {}, recursive = false })
  require "busted.execute"(busted)(1, {})
end

return M
