-- Ternary matrices by Lloyd's iteration, with a scale for each group of columns or for each row;
-- what the budget leaves goes to rows at q4, those of q, k, v and gate first, early layers first.
--
-- For the ternary budget. Perplexity on tiny-qwen3 (heldout.txt, dense 4.763): groups of 128 5.299,
-- of 64 5.302, whole rows 5.313, with offsets 5.383 (rowmix 5.399). Which kinds come first was
-- chosen on calibration.txt; 128 is merely usual, and there whole rows are better: 6.398 against
-- 6.423.
return {
  api = 1,
  about = "ternary rows or groups, fragile rows rescued at q4, within the task's budget",
  args = {
    codec = { "t5", "t5 (1.6 bits) or t2 (2 bits, faster to decode)" },
    group = { 128, "columns that share a scale; 0 for whole rows" },
    offsets = { false, "free levels: an offset beside each scale" },
    keep = { "norm", "names of tensors kept at 16 bits, comma-separated" },
    q4 = { "embed,lm_head", "names of tensors stored at q4" },
    first = { "q_proj,k_proj,v_proj,in_proj,gate_proj",
      "matrices whose rows are rescued before those of all others" },
  },
  tensor = function(ctx, t)
    local args = ctx.args
    if t.rank ~= 2 or ctx.match(t.name, args.keep) then return ctx.keep() end
    if ctx.match(t.name, args.q4) then
      return ctx.lowbit { codec = "t5", rescue = "budget", weight = 100 * t.parameters,
        upgrades = { { codec = "q4" } } }
    end
    local layer = tonumber(t.name:match("%.(%d+)%.") or 0)
    return ctx.lowbit {
      codec = args.codec, group = args.group > 0 and args.group or "row", offsets = args.offsets,
      rescue = "budget", weight = ctx.match(t.name, args.first) and 1e6 / (1 + layer) ^ 2 or 1,
    }
  end,
}
