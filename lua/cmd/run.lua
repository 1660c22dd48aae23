-- bittern run FILE [args]: any script; it sees everything and gets its arguments as `...`.
return {
  api = 1,
  about = "run a Lua script with every module at hand",
  group = "self",
  args = function(parser)
    parser:argument("file", "the script; what follows it is passed on")
  end,
  run = function(ctx)
    local script = require "bittern.script"
    local cli = require "bittern.cli"
    local chunk, message, code = script.chunk(ctx.args.file)
    if not chunk then return nil, message, code end
    local result, why, id = chunk(table.unpack(cli.script_arguments or {}))
    if result == nil and why ~= nil then return nil, why, id end
    if math.type(result) == "integer" then return result end
    return true
  end,
}
