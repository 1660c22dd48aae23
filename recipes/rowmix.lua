-- The public baseline: every matrix at one or 1.6 bits a weight with a scale per row, norms kept
-- at 16 bits, embeddings at q4, and what the budget leaves spent on rows at q4.
return {
  api = 1,
  about = "low-bit rows, fragile rows rescued at q4, within the task's budget",
  args = {
    base = { "auto", "codec of the rows: b1, t5, or auto for what the budget allows" },
    keep = { "norm", "names of tensors kept at 16 bits, comma-separated" },
    embed = { "q4", "embeddings and head: q4, keep (16 bits) or base" },
    scale = { "least_squares", "how scales are fitted: least_squares or mean_abs" },
  },
  tensor = function(ctx, t)
    local args = ctx.args
    if t.rank ~= 2 or ctx.match(t.name, args.keep) then
      return ctx.keep { dtype = t.dtype == "f32" and "bf16" or nil }
    end
    if ctx.match(t.name, "embed,lm_head") and args.embed ~= "base" then
      if args.embed == "q4" then return ctx.q4() end
      return ctx.keep()
    end
    local base = args.base
    if base == "auto" then base = ctx.bits and ctx.bits >= 1.8 and "t5" or "b1" end
    return ctx.lowbit { codec = base, scale = args.scale, group = "row", rescue = "budget" }
  end,
}
