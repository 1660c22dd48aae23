-- Named tensors at q4 or 16 bits, everything else at one or 1.6 bits: `keep` and `q4` are granted
-- in any case, `protect` in the order of the layers while the budget lasts.
--
-- Perplexity on tiny-qwen3 (heldout.txt, dense 4.763): binary budget 6.739 (rowmix 7.205), with
-- codec=q4 7.350, for few matrices at four bits are worth less than many at fewer; ternary 5.319
-- (rowmix 5.399), with codec=t5 5.395. Nothing protected: 7.846 in the binary budget. Which kinds
-- are protected was chosen on calibration.txt.
return {
  api = 1,
  about = "named tensors at q4 or 16 bits, paid for by low bits elsewhere",
  args = {
    protect = { "q_proj,k_proj,v_proj,in_proj,gate_proj",
      "matrices that get more bits, the first of the model first, while the budget lasts" },
    codec = { "auto", "what they get: q4, t5, or auto: t5 over b1 and q4 over t5" },
    keep = { "norm", "names of tensors kept at 16 bits, comma-separated" },
    q4 = { "embed,lm_head", "names of tensors stored at q4 in any case" },
    base = { "auto", "codec of all others: b1, t5, or auto for what the budget allows" },
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
    local codec = args.codec
    if codec == "auto" then codec = base == "b1" and "t5" or "q4" end
    local layer = tonumber(t.name:match("%.(%d+)%.") or 0)
    local low = { codec = base, rescue = "budget" }
    if ctx.match(t.name, args.protect) then
      low.weight, low.rescue_most = math.max(1, t.parameters / (1 + layer) ^ 2), 0.25
      low.upgrades = { { codec = codec, rescue = 0 } }
    end
    return ctx.lowbit(low)
  end,
}
