-- bittern version
return {
  api = 1,
  about = "this program's version and what it is built on",
  group = "self",
  run = function(ctx)
    local version = require "bittern.version"
    if ctx.json then
      ctx.report.data { bittern = version, lua = _VERSION }
    else
      ctx.report.out("bittern " .. version .. " (" .. _VERSION .. ")")
    end
    return true
  end,
}
