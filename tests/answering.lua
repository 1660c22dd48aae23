-- A coordinator that answers with one task and its onboarding, for specs of commands that only ask.
local fs = require "core.fs"
local process = require "core.process"

local json = require "bittern.json"
local support = require "tests.support"

local M = {}

local Server = {}
Server.__index = Server

--- Starts it.
-- @param task record without id, slug and state
-- @param onboarding text, or nil for none
-- @param best record, or nil for none
function M.start(task, onboarding, best)
  local record = { id = "t-1", slug = "here", task_state = "live", is_active = true,
    competition_mode = "standard", metric_name = "m", metric_direction = "minimize" }
  for key, value in pairs(task) do record[key] = value end
  local home = support.folder()
  local answers = { ["GET /api/v1/tasks"] = { body = json.encode { record } } }
  answers["GET /api/v1/tasks/t-1/onboard.md"] = onboarding and { body = onboarding,
    type = "text/markdown" } or nil
  answers["GET /api/v1/tasks/t-1/best"] = best and { body = json.encode(best) } or nil
  assert(fs.write(home .. "/answers.json", json.encode(answers)))
  local child = assert(process.spawn {
    argv = { support.bin, "run", support.root .. "/tests/fixtures/answers.lua",
      home .. "/answers.json" },
    stdout = "pipe", stderr = "null",
  })
  local url = "http://127.0.0.1:" .. assert(child:read_line(20))
  return setmetatable({ home = home, child = child, url = url }, Server)
end

--- Runs a command of bittern against it.
-- @return {status=, stdout=, stderr=}
function Server:run(...)
  return support.bittern(self.home, { "--coordinator", self.url, ... })
end

--- Ends it.
function Server:stop()
  self.child:kill()
  self.child:wait(10)
end

return M
