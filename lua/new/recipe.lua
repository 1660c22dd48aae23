-- Recipe NAME: say here what becomes of a model. docs/write-a-recipe.md has every function of ctx.
--   bittern compress MODEL --recipe NAME --budget binary --dry-run
---@type bittern.Recipe
return {
  api = 1,
  about = "say in a line what it does",
  -- { default, "what it is" }: --set keep=norm,bias
  args = { keep = { "norm", "names of tensors kept at 16 bits, comma-separated" } },
  -- Asked once for each tensor: t.name, t.shape, t.rank, t.dtype.
  tensor = function(ctx, t)
    if t.rank ~= 2 or ctx.match(t.name, ctx.args.keep) then return ctx.keep() end
    if ctx.match(t.name, "embed,lm_head") then return ctx.q4() end
    -- One bit a weight with a scale per row; what the budget leaves goes to rows at q4.
    return ctx.lowbit { codec = "b1", group = "row", rescue = "budget" }
  end,
}
