-- A workflow of one's own: compress and score, and stop there: no claim, nothing published.
--   bittern mine SLUG --workflow examples/workflows/rehearse.lua --model M --text F --publish P
-- Each step is recorded; running the command again repeats only what has changed.
local work = require "bittern.work"

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
  return done, ("%s of %s bytes"):format(ctx.report.thousands(done.bytes),
    ctx.report.thousands(done.budget))
end

local function score(ctx, state)
  local packed, message, code = work.score(ctx, state.compress.out, "packed model")
  if not packed then return nil, message, code end
  return packed, ("perplexity %.4f"):format(packed.heldout_ppl)
end

return {
  api = 1,
  about = "compress for a task and score, without claiming or publishing anything",
  steps = {
    { name = "discover", always = true, run = discover },
    { name = "compress", inputs = work.compress_inputs, run = compress },
    { name = "eval", inputs = work.eval_inputs, run = score },
  },
}
