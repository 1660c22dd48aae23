-- The public baseline: every matrix at one or 1.6 bits a weight with a scale per row, norms kept
-- at 16 bits, embeddings at q4, and what the budget leaves spent on rows at q4.
--
-- Which rows: squared error alone is a poor guide. Measured on tiny-qwen3 (nats on heldout.txt,
-- dense 1.561): binary without rescue 2.031, rows by their share of a matrix's error 2.060, rows of
-- gate_proj first, early layers before late ones 1.975; ternary 1.736, 1.710 and 1.686. The rule
-- was chosen on calibration.txt, where the order is the same.
return {
  api = 1,
  about = "low-bit rows, fragile rows rescued at q4, within the task's budget",
  args = {
    base = { "auto", "codec of the rows: b1, t5, or auto for what the budget allows" },
    keep = { "norm", "names of tensors kept at 16 bits, comma-separated" },
    embed = { "q4", "embeddings and head: q4, keep (16 bits) or base" },
    first = { "gate_proj", "matrices whose rows are rescued before those of all others" },
    scale = { "least_squares", "how scales are fitted: least_squares or mean_abs" },
  },
  tensor = function(ctx, t)
    local args = ctx.args
    if t.rank ~= 2 or ctx.match(t.name, args.keep) then
      return ctx.keep { dtype = t.dtype == "f32" and "bf16" or nil }
    end
    if ctx.match(t.name, "embed,lm_head") and args.embed ~= "base" then
      if args.embed ~= "q4" then return ctx.keep() end
      return ctx.lowbit { codec = "t5", rescue = "budget", weight = 100 * t.parameters,
        upgrades = { { codec = "q4" } } }
    end
    local base = args.base
    if base == "auto" then base = ctx.bits and ctx.bits >= 1.8 and "t5" or "b1" end
    local layer = tonumber(t.name:match("%.(%d+)%.") or 0)
    local weight = ctx.match(t.name, args.first) and 1e6 / (1 + layer) ^ 2 or 1
    return ctx.lowbit {
      codec = base, scale = args.scale, group = "row", rescue = "budget", weight = weight,
    }
  end,
}
