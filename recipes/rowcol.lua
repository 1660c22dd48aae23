-- The best that ships: a scale for each row, column scales where they pay (v_proj; alternating
-- closed form, no calibration text), and what the budget leaves spent on the matrices that read the
-- residual stream (q, k, v and gate), early layers before late ones: ternary instead of binary,
-- or a second base over ternary. Single rows at q4 take the last bytes, at most a quarter of a
-- matrix: else the first layers of a deep model would be all q4 before the last ones get anything.
-- The embedding is at q4 where that fits, else ternary with as many rows at q4 as do.
--
-- Perplexity on tiny-qwen3 (heldout.txt, dense 4.763): binary budget 6.548 (rowmix 7.205), ternary
-- 5.251 (rowmix 5.399). Without column scales 6.739 and 5.278; on all matrices 7.020 and 5.269, as
-- they cost bytes that upgrades need. Which kinds come first and which get column scales was chosen
-- on calibration.txt, by upgrading one kind after the other; docs/recipes.md has the table.
return {
  api = 1,
  about = "scales of rows and columns; inputs of attention and MLP get ternary bits first",
  args = {
    base = { "auto", "codec of the matrices: b1, t5, or auto for what the budget allows" },
    columns = { "v_proj", "matrices that get a scale for each column, too" },
    first = { "q_proj,k_proj,v_proj,in_proj,gate_proj", "matrices that may be upgraded" },
    keep = { "norm", "names of tensors kept at 16 bits, comma-separated" },
    q4 = { "embed,lm_head", "names of tensors stored at q4" },
  },
  tensor = function(ctx, t)
    local args = ctx.args
    if t.rank ~= 2 or ctx.match(t.name, args.keep) then return ctx.keep() end
    if ctx.match(t.name, args.q4) then
      return ctx.lowbit { codec = "t5", rescue = "budget", weight = 100 * t.parameters,
        upgrades = { { codec = "q4" } } }
    end
    local base = args.base
    if base == "auto" then base = ctx.bits and ctx.bits >= 1.8 and "t5" or "b1" end
    local layer = tonumber(t.name:match("%.(%d+)%.") or 0)
    local low = { codec = base, columns = ctx.match(t.name, args.columns), rescue = "budget" }
    if ctx.match(t.name, args.first) then
      low.weight, low.rescue_most = math.max(1, t.parameters / (1 + layer) ^ 2), 0.25
      low.upgrades = { base == "b1" and { codec = "t5", rescue = 0 } or { bases = 2, rescue = 0 } }
    end
    return ctx.lowbit(low)
  end,
}
