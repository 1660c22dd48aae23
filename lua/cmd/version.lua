-- bittern version
return {
  api = 1,
  about = "this program's version, what it is built on, and its kernels",
  group = "self",
  run = function(ctx)
    local version = require "bittern.version"
    local isa, available = require "core.quant".isa()
    if ctx.json then
      ctx.report.data { bittern = version, lua = _VERSION, isa = isa, isa_available = available,
        libraries = require "bittern.libraries".versions() }
    else
      ctx.report.out("bittern " .. version .. " (" .. _VERSION .. ")")
      ctx.report.out("kernels " .. isa .. " (available: " .. table.concat(available, ", ") .. ")")
    end
    return true
  end,
}
