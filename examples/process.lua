-- Child programs: `bittern run examples/process.lua`.
local process = require "core.process"

-- To its end, with a deadline and a cap on what it may print.
local done = assert(process.run { argv = { "sort" }, input = "tern\nbit\n", timeout = 5 })
io.stdout:write(done.stdout)

-- One that goes on: read a line, then end it; `<close>` would end it too.
local child <close> = assert(process.spawn {
  argv = { "/bin/sh", "-c", "echo ready; sleep 60" }, stdout = "pipe",
})
print(assert(child:read_line(5)))
child:kill()
print("ended by signal " .. assert(child:wait(5)).signal)
