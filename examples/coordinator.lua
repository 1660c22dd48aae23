-- What is live at a coordinator, and what is the best of each task. Public routes, no hotkey:
-- build/bittern run examples/coordinator.lua http://127.0.0.1:8080
local coordinator = require "bittern.coordinator"

local client = assert(coordinator.new {
  url = ... or os.getenv "BITSOTA_COORDINATOR_URL" or coordinator.PRODUCTION,
  warn = function(text) print("warning: " .. text) end,
})
local tasks, message = client:tasks()
if not tasks then return nil, message end
for _, task in ipairs(tasks) do
  local best = assert(client:best(task))
  local metrics = best.observed_metrics or {}
  print(task.slug, task.task_state, task.metric_name, metrics[task.metric_name] or "no best yet")
end
