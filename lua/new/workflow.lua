-- Workflow NAME: steps in order; each is recorded, and running it again repeats what has changed.
--   bittern mine SLUG --workflow NAME --model M --text F --publish P
local work = require "bittern.work"

-- A step gets ctx (client, args, report, folder) and what the steps before it gave, by name. It
-- gives a table that JSON can hold and a line for people; or nil, message, error id.
local function discover(ctx)
  local task, message, code = ctx.client:find(ctx.args.slug)
  if not task then return nil, message, code end
  local text
  text, message, code = ctx.client:onboard(task)
  if not text then return nil, message, code end
  ctx.demands, message, code = work.rules(task, text)
  if not ctx.demands then return nil, message, code end
  return { task = task }, task.slug
end

local function compress(ctx)
  local done, message, code = work.compress(ctx)
  if not done then return nil, message, code end
  return done, ("%d bytes"):format(done.bytes)
end

---@type bittern.Workflow
return {
  api = 1,
  about = "say in a line what it does",
  steps = {
    -- `always`: also when nothing changed. `inputs`: what its result depends on.
    { name = "discover", always = true, run = discover },
    { name = "compress", inputs = work.compress_inputs, run = compress },
    -- Take the other steps from lua/workflows/mine.lua.
  },
}
