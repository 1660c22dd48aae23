-- Residual bases: a second base fits what the first left over, for the matrices that read the
-- residual stream, early layers before late ones, as long as the budget lasts.
--
-- Perplexity on tiny-qwen3 (heldout.txt, dense 4.763): binary budget 7.099 (rowmix 7.205; a third
-- base instead of the second 7.208), ternary 5.278 (rowmix 5.399; two bases of b1 6.217). Two
-- bits in two binary bases are worth less than 1.6 in one ternary base: see rowcol. Which kinds
-- come first was chosen on calibration.txt.
return {
  api = 1,
  about = "further bases for the inputs of attention and MLP, early layers first",
  args = {
    base = { "auto", "codec of every base: b1, t5, or auto for what the budget allows" },
    bases = { 2, "bases of a matrix that is upgraded: 2, 3 or 4" },
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
    local low = { codec = base, rescue = "budget" }
    if ctx.match(t.name, args.first) then
      low.weight, low.rescue_most = math.max(1, t.parameters / (1 + layer) ^ 2), 0.25
      low.upgrades = { { bases = args.bases, rescue = 0 } }
    end
    return ctx.lowbit(low)
  end,
}
