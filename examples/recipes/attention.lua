-- A recipe of one's own: attention may become ternary where the budget allows, the rest is binary.
--   bittern compress MODEL --recipe examples/recipes/attention.lua --budget binary --dry-run
---@type bittern.Recipe
return {
  api = 1,
  about = "ternary attention, binary elsewhere",
  args = { attention = { "q_proj,k_proj,v_proj", "matrices that may become ternary" } },
  tensor = function(ctx, t)
    if t.rank ~= 2 then return ctx.keep() end
    if ctx.match(t.name, "embed,lm_head") then return ctx.q4() end
    local options = { codec = "b1", rescue = "budget" }
    if ctx.match(t.name, ctx.args.attention) then
      options.upgrades = { { codec = "t5", rescue = 0 } }
      options.weight = 10
    end
    return ctx.lowbit(options)
  end,
}
