-- A coordinator of one's own for as long as a script runs: `bittern run examples/practice.lua`.
local process = require "core.process"
local sys = require "core.sys"

local http = require "bittern.http"
local json = require "bittern.json"

local dir = os.tmpname()
os.remove(dir)

-- Closing the child ends the coordinator and its validator.
local coordinator <close> = assert(process.spawn {
  argv = { sys.exe(), "practice", "serve", "--state", dir }, stdout = "pipe",
  stderr = "null",
})
local url = assert(json.decode(assert(coordinator:read_line(20)))).url

for _, task in ipairs(assert(http.json("GET", url .. "/api/v1/tasks"))) do
  print(task.slug, task.competition_mode, task.task_state)
end
